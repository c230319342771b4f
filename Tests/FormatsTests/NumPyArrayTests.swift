import Foundation
import ResidualFormats
import ResidualTensors
import ResidualTestSupport
import Testing

@Suite struct NumPyArrayTests {
  static let arrays: [NumPyArray] = [
    .float32(Tensor([2, 3], [1, -2.5, .infinity, 0, -0, .leastNonzeroMagnitude])),
    .float64(Tensor([4], [0.1, .pi, -.greatestFiniteMagnitude, 0x1p-1064])),
    .int64(Tensor([1, 2, 1], [.min, .max])),
    .float32(Tensor([], [7])),
    .float32(Tensor([0, 3], [])),
  ]

  @Test(arguments: arrays) func roundTrip(_ array: NumPyArray) throws {
    let bytes = array.encoded
    #expect(try NumPyArray(FileBytes(bytes)) == array)
    let start = bytes.firstIndex(of: 0x0A)! + 1
    #expect(start % 64 == 0)
  }

  /// The bytes that NumPy 2.4 writes for `numpy.save(f, numpy.array([1, -2], 'i8'))`.
  @Test func theBytesOfNumPy() {
    let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }"
    var expected: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8)
    expected += Array(repeating: 0x20, count: 127 - expected.count) + [0x0A]
    expected += [1, 0, 0, 0, 0, 0, 0, 0, 0xFE] + Array(repeating: 0xFF, count: 7)
    #expect(NumPyArray.int64(Tensor([2], [1, -2])).encoded == expected)
  }

  @Test(arguments: [UInt8(1), 2, 3]) func everyVersionAndOrderOfKeys(_ major: UInt8) throws {
    let header = Array(#"{"shape":(1,2),"fortran_order":False,'descr':'<f4'}"#.utf8)
    let length: [UInt8] = [UInt8(header.count), 0] + (major == 1 ? [] : [0, 0])
    let bytes = [0x93] + Array("NUMPY".utf8) + [major, 0] + length + header
    let elements: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]
    let array = try NumPyArray(FileBytes(bytes + elements))
    #expect(array == .float32(Tensor([1, 2], [1, -2])))
  }

  @Test(.enabled(if: Python.has("numpy"), "RESNET_PYTHON names no Python with numpy"))
  func numPyReadsAndWritesTheSame() throws {
    let folder = try TemporaryFolder()
    let script = """
      import numpy, sys
      a = numpy.load(sys.argv[1])
      numpy.save(sys.argv[2], a)
      """
    for array in Self.arrays {
      try array.write(to: folder["ours.npy"])
      try Python.run(script, folder["ours.npy"], folder["theirs.npy"])
      #expect(try folder.bytes("theirs.npy") == array.encoded)
      #expect(try NumPyArray(FileBytes(at: folder["theirs.npy"])) == array)
    }
  }
}
