import ResidualFormats

#if ONNX
  import Foundation
  import ResidualONNXSchema
#endif

/// An ONNX model from a file, decoded, with the checks that all models need.
package struct ONNXFile: Sendable {
  /// The versions of ONNX's operators that are understood.
  package static let operatorSets: ClosedRange<Int64> = 7...28

  /// Whether bytes begin as an ONNX model does: with its format version, which is a small number, and
  /// another field. The length that safetensors begin with may look the same.
  static func begins(_ bytes: FileBytes) -> Bool {
    let start = bytes[0..<min(3, bytes.count)]
    return start.count == 3 && start[0] == 0x08 && start[1] > 0 && start[1] < 0x40
      && start[2] != 0 && !WeightsFile.beginsAsSafetensors(bytes)
  }

  #if ONNX
    package let model: Onnx_ModelProto
    /// The version of the operators.
    let operatorSet: Int64
    /// The path, or the name of bytes in memory.
    let name: String

    /// Decodes a model.
    ///
    /// - Throws: ``ONNXError``.
    /// - Complexity: O(bytes); decoding takes less memory than the file and 64 MiB.
    package init(_ file: FileBytes) throws(ONNXError) {
      name = file.name
      do {
        try ONNXStructure.check(file)
        model = try Self.decode(file)
        operatorSet = try Self.operatorSet(of: model)
      } catch { throw ONNXError(file.name, error) }
    }

    /// A model in memory.
    ///
    /// - Throws: ``ONNXError``.
    package init(_ model: Onnx_ModelProto, name: String) throws(ONNXError) {
      (self.model, self.name) = (model, name)
      do { operatorSet = try Self.operatorSet(of: model) } catch { throw ONNXError(name, error) }
    }

    private static func decode(_ file: FileBytes) throws(ONNXProblem) -> Onnx_ModelProto {
      let model = file.withUnsafeBytes { bytes -> Onnx_ModelProto? in
        guard let base = bytes.baseAddress else { return nil }
        let data = Data(
          bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count,
          deallocator: .none)
        return try? Onnx_ModelProto(serializedBytes: data)
      }
      guard let model else { throw .notDecodable }
      return model
    }

    private static func operatorSet(of model: Onnx_ModelProto) throws(ONNXProblem) -> Int64 {
      guard model.irVersion > 0, model.irVersion < 0x40 else {
        throw .unknownVersion(model.irVersion)
      }
      guard model.hasGraph else { throw .noGraph }
      guard model.functions.isEmpty else { throw .localFunctions }
      let sets = model.opsetImport.filter { isStandard($0.domain) }
      guard let set = sets.first?.version else { throw .noOperatorSet }
      guard sets.allSatisfy({ $0.version == set }) else { throw .duplicateField("opset_import") }
      guard set >= operatorSets.lowerBound else { throw .oldOperatorSet(set) }
      guard set <= operatorSets.upperBound else { throw .newOperatorSet(set) }
      return set
    }

    /// ONNX's own operators, which most files leave without a domain.
    static func isStandard(_ domain: String) -> Bool { domain.isEmpty || domain == "ai.onnx" }
  #else
    /// - Throws: ``ONNXError`` of ``ONNXProblem/notBuiltIn``.
    package init(_ file: FileBytes) throws(ONNXError) { throw ONNXError(file.name, .notBuiltIn) }
  #endif
}
