/// How one element of a tensor is stored.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  case float16, bfloat16, float32, float64
  case int8, uint8, int16, int32, int64
  case bool

  /// The size of one element in bytes.
  public var size: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .float16, .bfloat16, .int16: 2
    case .float32, .int32: 4
    case .float64, .int64: 8
    }
  }

  /// Whether elements are real numbers, which a device may keep in another real type.
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }
}
