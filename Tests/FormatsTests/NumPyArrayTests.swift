import ResidualFormats
import ResidualTensors
import ResidualTestSupport
import Testing

@Suite struct NumPyArrayTests {
  static let shapes: [Shape] = [.scalar, [1], [5], [2, 3], [0], [1, 2, 3, 4], [3, 17, 100]]

  @Test(arguments: shapes)
  func roundTrip(_ shape: Shape) throws {
    let folder = try TemporaryFolder()
    let tensor = Tensor<Float>(shape, (0..<shape.count).map { Float($0) / 3 })
    try NumPyArray.write(tensor, to: folder["a.npy"])
    #expect(try NumPyFile.floats(at: folder["a.npy"]) == tensor)
    let bytes = try folder.bytes("a.npy")
    #expect(bytes.starts(with: [0x93] + Array("NUMPY".utf8) + [1, 0]))
    #expect(
      (bytes.count - 4 * shape.count) % 64 == 0 && bytes[bytes.count - 4 * shape.count - 1] == 10)
  }

  @Test(.enabled(if: Python.has("numpy"), "\(Python.lacks("numpy"))"))
  func numpyReadsThem() throws {
    let folder = try TemporaryFolder()
    for shape in Self.shapes {
      let tensor = Tensor<Float>(shape, (0..<shape.count).map { Float($0) / 3 })
      try NumPyArray.write(tensor, to: folder["a.npy"])
      try Python.run(
        "import numpy, sys; a = numpy.load(sys.argv[1]); numpy.save(sys.argv[2], a)",
        folder["a.npy"], folder["b.npy"])
      #expect(
        try folder.bytes("a.npy").suffix(4 * shape.count)
          == folder.bytes("b.npy").suffix(4 * shape.count))
      #expect(try NumPyFile.floats(at: folder["b.npy"]) == tensor)
    }
  }
}
