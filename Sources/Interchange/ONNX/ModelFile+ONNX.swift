import Foundation
import ResidualFormats
import ResidualNetworks

#if ONNX
  import ResidualONNXSchema
#endif

extension ModelFile {
  /// The names in a file of the network's input `[batch, 3, height, width]` and of its output
  /// `[batch, classes]`, the logits.
  public static let onnxInput = "input", onnxOutput = "output"
  /// Begins the keys of metadata that are fields of ``ModelMetadata``.
  static let onnxPrefix = "residual."
  /// Metadata keys of what else an importer must know: where preprocessing stands, and whether
  /// normalisations were folded.
  static let onnxPreprocessingKey = "residual.onnx.preprocessing"
  static let onnxFoldedKey = "residual.onnx.folded"

  /// Where a file has the preparation of images, if the options leave it open.
  public var onnxPreprocessing: ONNXOptions.Preprocessing {
    if case .perPixelMean = preparation.normalization { .nodes } else { .metadata }
  }

  /// Writes the network as ONNX, whole or not at all.
  ///
  /// Tensors have their own names; what is known of the model is in the metadata.
  /// - Throws: ``ONNXExportError``, ``FileError``.
  public func writeONNX(to path: String, _ options: ONNXOptions = .init()) throws {
    #if ONNX
      let message = try onnx(options)
      guard let bytes: [UInt8] = try? message.serializedBytes() else {
        // Too many bytes is all that can be wrong with a message of our own.
        let byteCount = message.graph.initializer.reduce(0) { $0 + $1.rawData.count }
        throw ONNXExportError.tooLarge(byteCount: byteCount)
      }
      try AtomicFile.write(bytes, to: path)
    #else
      throw ONNXExportError.notBuilt
    #endif
  }

  /// Reads a file again and compares it with what was to be written: all of it, and the tensors to
  /// the bit.
  ///
  /// - Throws: ``ONNXExportError``, ``FileError``.
  public func checkONNX(at path: String, _ options: ONNXOptions = .init()) throws {
    #if ONNX
      let bytes = try FileBytes(at: path)
      let read = try? Onnx_ModelProto(serializedBytes: Array(bytes[0..<bytes.count]))
      guard let read, read == (try onnx(options)) else {
        throw ONNXExportError.changed(file: path, what: "the network")
      }
      guard !options.foldsNormalization else { return }
      let numbers = Dictionary(
        read.graph.initializer.map { ($0.name, $0.rawData) },
        uniquingKeysWith: { first, _ in first })
      for slot in network.slots where network.inferenceSlots.contains(slot.name) {
        let same = tensors[slot.name]?.scalars.withUnsafeBytes { bytes in
          numbers[slot.name] == Data(bytes)
        }
        guard same == true else {
          throw ONNXExportError.changed(file: path, what: "tensor '\(slot.name)'")
        }
      }
    #else
      throw ONNXExportError.notBuilt
    #endif
  }
}

#if ONNX
  extension ModelFile {
    /// The versions of the file format that came with versions of the operators.
    private static func fileVersion(opset: Int) -> Int64 {
      switch opset {
      case ...9: 4
      case 10: 5
      case 11: 6
      case 12...14: 7
      case 15...18: 8
      case 19...20: 9
      default: 10
      }
    }

    /// The model in ONNX's form.
    ///
    /// - Throws: ``ONNXExportError``.
    package func onnx(_ options: ONNXOptions) throws -> Onnx_ModelProto {
      let preprocessing = options.preprocessing ?? onnxPreprocessing
      if preprocessing == .metadata, case .perPixelMean = preparation.normalization {
        throw ONNXExportError.meanOfPixels
      }
      var export = try ONNXExport(
        network.graph(.inference), inputs: [Network.imagesInput: network.imagesShape(batch: 1)],
        tensors: tensors, opset: options.opset, foldsNormalization: options.foldsNormalization)
      try export.run(
        names: [Network.imagesInput: Self.onnxInput, Network.logitsOutput: Self.onnxOutput],
        normalization: preprocessing == .nodes ? preparation.normalization : nil)
      var model = Onnx_ModelProto()
      model.irVersion = Self.fileVersion(opset: options.opset)
      var operators = Onnx_OperatorSetIdProto()
      operators.version = Int64(options.opset)
      model.opsetImport = [operators]
      (model.producerName, model.producerVersion) = ("residual", options.producerVersion)
      model.graph = export.message
      model.graph.name = network.name
      var metadata = Dictionary(
        uniqueKeysWithValues: ModelMetadata(self).fields.map {
          (Self.onnxPrefix + $0.key, $0.value)
        })
      metadata[Self.onnxPreprocessingKey] = preprocessing.rawValue
      if options.foldsNormalization { metadata[Self.onnxFoldedKey] = "true" }
      model.metadataProps = metadata.sorted { $0.key < $1.key }.map {
        Onnx_StringStringEntryProto($0.key, $0.value)
      }
      return model
    }
  }
#endif
