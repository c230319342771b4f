import ResidualFormats

extension FuzzTarget {
  /// Words at which the parser decides something.
  package var words: [[UInt8]] {
    switch self {
    case .safetensors: Self.ofSafetensors
    case .pickle: Self.ofPickles
    case .zip: Self.ofArchives
    case .torch: Self.ofPickles + Self.ofArchives + Self.ofCheckpoints
    #if ONNX
      case .onnx: Self.ofMessages
    #endif
    }
  }

  private static let ofSafetensors =
    [
      #""__metadata__":{"#, #""dtype":""#, #""shape":["#, #""data_offsets":["#, #"\ud83d\ude00"#,
      #"\u0041"#, #"\n"#, "9223372036854775807", "9223372036854775808", "4294967296", "{}", "],",
    ].map { Array($0.utf8) } + SafetensorsType.allCases.map { Array($0.rawValue.utf8) }

  private static let ofPickles =
    [
      Pickle.proto, [0x80, 4], [0x80, 5], Pickle.orderedDictionary, Pickle.storage(),
      Pickle.tensor(), Pickle.text("é.w"), Pickle.integer(-1), Pickle.integers([.max, 1]),
      Pickle.put(1), Pickle.get(1), Pickle.unit + Pickle.reduce, Pickle.dictionary + Pickle.build,
      Pickle.numPy("f8", [0, 0, 0, 0, 0, 0, 12, 64]), Pickle.global("torch", "device"),
      Pickle.global("torch", "float32"), Pickle.global("collections", "Counter"),
      Pickle.global("argparse", "Namespace"), Pickle.global("_codecs", "encode"),
      Pickle.global("torch._utils", "_rebuild_parameter"), Pickle.global("torch", "Size"),
      Pickle.global("torch.storage", "UntypedStorage"), Pickle.global("torch", "HalfStorage"),
    ] + [UInt8](0x81...0x97).map { [$0] }
    + Array("(.0FKMJNQRXbchjqrstu]}el)aGTUVSBC".utf8).map { [$0] }

  private static let ofArchives: [[UInt8]] =
    [(1, 2), (3, 4), (5, 6), (6, 6), (6, 7), (7, 8)].map { [0x50, 0x4B, $0.0, $0.1] }
    + [
      [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0xFF, 0xFF], [1, 0, 8, 0], [1, 0, 16, 0],
      [1, 0, 24, 0], [0x75, 0x70], Array("../".utf8), Array("d/".utf8), [0x08, 0x08],
    ]

  private static let ofCheckpoints =
    ["data.pkl", "data/0", "version", "byteorder", "little", "little_endian", "constants.pkl"].map {
      Array($0.utf8)
    }

  /// Operators and attributes, and the beginnings of parts of messages.
  private static let ofMessages =
    [
      "Conv", "BatchNormalization", "Relu", "MaxPool", "Gemm", "Add", "Gather", "Div", "Slice",
      "Concat", "Reshape", "Squeeze", "Unsqueeze", "Constant", "Shape", "strides", "pads",
      "group", "axis", "axes", "steps", "value_ints", "auto_pad", "SAME_UPPER", "ceil_mode",
    ].map { Array($0.utf8) }
    + [
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
      [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x3A], [0x2A],
    ]
}
