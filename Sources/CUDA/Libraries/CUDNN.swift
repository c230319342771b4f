import ResidualExecution

/// cuDNN's backend interface: descriptors whose attributes are set one by one, then finalised.
///
/// Source: NVIDIA, cuDNN backend API, version 9. Numbers are those of its header.
struct CUDNN: @unchecked Sendable {
  /// Such as 91700 for 9.17.0.
  let version: Int
  let createHandle: @convention(c) (UnsafeMutablePointer<Handle?>) -> Int32
  let destroyHandle: @convention(c) (Handle?) -> Int32
  let setStream: @convention(c) (Handle?, Handle?) -> Int32
  private let getErrorString: @convention(c) (Int32) -> UnsafePointer<CChar>?
  private let getLastError: @convention(c) (UnsafeMutablePointer<CChar>, Int) -> Void
  let createDescriptor: @convention(c) (Int32, UnsafeMutablePointer<Handle?>) -> Int32
  let destroyDescriptor: @convention(c) (Handle?) -> Int32
  let setAttribute: @convention(c) (Handle?, Int32, Int32, Int64, UnsafeRawPointer?) -> Int32
  let getAttribute:
    @convention(c) (
      Handle?, Int32, Int32, Int64, UnsafeMutablePointer<Int64>?, UnsafeMutableRawPointer?
    ) -> Int32
  let finalize: @convention(c) (Handle?) -> Int32
  let execute: @convention(c) (Handle?, Handle?, Handle?) -> Int32

  /// - Throws: ``DeviceUnavailable``.
  init(folders: [String]) throws(DeviceUnavailable) {
    let library = try DynamicLibrary(
      ["libcudnn.so.9", "libcudnn.so"], purpose: "cuDNN 9", folders: folders)
    createHandle = try library.function("cudnnCreate")
    destroyHandle = try library.function("cudnnDestroy")
    setStream = try library.function("cudnnSetStream")
    getErrorString = try library.function("cudnnGetErrorString")
    getLastError = try library.function("cudnnGetLastErrorString")
    createDescriptor = try library.function("cudnnBackendCreateDescriptor")
    destroyDescriptor = try library.function("cudnnBackendDestroyDescriptor")
    setAttribute = try library.function("cudnnBackendSetAttribute")
    getAttribute = try library.function("cudnnBackendGetAttribute")
    finalize = try library.function("cudnnBackendFinalize")
    execute = try library.function("cudnnBackendExecute")
    let getVersion: @convention(c) () -> Int = try library.function("cudnnGetVersion")
    version = getVersion()
  }

  /// What a status means, in cuDNN's words.
  func text(_ status: Int32) -> String {
    var detail = [CChar](repeating: 0, count: 512)
    getLastError(&detail, detail.count)
    let words = detail.withUnsafeBufferPointer {
      $0.baseAddress.map { String(cString: $0) } ?? ""
    }
    let name = getErrorString(status).map { String(cString: $0) } ?? "status \(status)"
    return words.isEmpty ? name : "\(name): \(words)"
  }

  /// Kinds of descriptors.
  enum Kind: Int32 {
    case convolution = 1, engine = 2, engineConfiguration = 3, heuristic = 4, executionPlan = 5
    case forward = 10, filterGradient = 11, inputGradient = 12
    case operationGraph = 15, variantPack = 16, tensor = 17
  }

  /// Types of attributes.
  enum AttributeType: Int32 {
    case handle = 0, dataType = 1, int64 = 3, float = 4
    case pointer = 6, convolutionMode = 7, heuristicMode = 8
    case numericalNote = 11, descriptor = 15
  }

  /// Attributes.
  enum Attribute: Int32 {
    case convolutionComputeType = 100, convolutionMode = 101, convolutionDilations = 102
    case convolutionStrides = 103, convolutionPaddingAfter = 104, convolutionPaddingBefore = 105
    case convolutionSpatialDimensions = 106
    case heuristicMode = 200, heuristicGraph = 201, heuristicResults = 202
    case configurationEngine = 300
    case planHandle = 400, planConfiguration = 401, planWorkspace = 402
    case forwardAlpha = 700, forwardBeta = 701, forwardConvolution = 702, forwardFilter = 703
    case forwardInput = 704, forwardOutput = 705
    case inputGradientAlpha = 706, inputGradientBeta = 707, inputGradientConvolution = 708
    case inputGradientFilter = 709, inputGradientInput = 710, inputGradientOutput = 711
    case filterGradientAlpha = 712, filterGradientBeta = 713, filterGradientConvolution = 714
    case filterGradientFilter = 715, filterGradientInput = 716, filterGradientOutput = 717
    case graphHandle = 800, graphOperations = 801
    case tensorAlignment = 900, tensorDataType = 901, tensorDimensions = 902
    case tensorStrides = 903, tensorIdentifier = 906
    case packIdentifiers = 1000, packPointers = 1001, packWorkspace = 1003
    case engineNumericalNotes = 1303
  }

  /// What must be known of an engine before it is used.
  enum NumericalNote: Int32 {
    case tensorCore = 0, downConvertsInputs = 1, reducedPrecisionSums = 2, nondeterministic = 4
  }
}

/// cuDNN cannot do what it was asked for.
struct CUDNNError: Error {
  let status: Int32
  let message: String
}

/// A descriptor of cuDNN, destroyed with its last reference.
final class Descriptor: @unchecked Sendable {
  let library: CUDNN
  let handle: Handle?
  /// Descriptors that this one refers to.
  private var kept: [Descriptor] = []

  init(_ kind: CUDNN.Kind, of library: CUDNN) throws(CUDNNError) {
    self.library = library
    var handle: Handle?
    let status = library.createDescriptor(kind.rawValue, &handle)
    self.handle = handle
    try check(status)
  }

  deinit { _ = library.destroyDescriptor(handle) }

  private func check(_ status: Int32) throws(CUDNNError) {
    guard status == 0 else { throw CUDNNError(status: status, message: library.text(status)) }
  }

  func set<Element>(
    _ attribute: CUDNN.Attribute, _ type: CUDNN.AttributeType, _ values: [Element]
  ) throws(CUDNNError) {
    precondition(!values.isEmpty, "an attribute without values")
    try check(
      values.withUnsafeBytes { bytes in
        library.setAttribute(
          handle, attribute.rawValue, type.rawValue, Int64(values.count),
          bytes.baseAddress)
      })
  }

  func set(_ attribute: CUDNN.Attribute, _ values: [Int]) throws(CUDNNError) {
    try set(attribute, .int64, values.map(Int64.init))
  }
  func set(_ attribute: CUDNN.Attribute, _ value: Float) throws(CUDNNError) {
    try set(attribute, .float, [value])
  }
  func set(_ attribute: CUDNN.Attribute, _ values: [Descriptor]) throws(CUDNNError) {
    kept += values
    try set(attribute, .descriptor, values.map(\.handle))
  }

  /// How many elements an attribute has.
  func count(_ attribute: CUDNN.Attribute, _ type: CUDNN.AttributeType) -> Int {
    var count: Int64 = 0
    let status = library.getAttribute(handle, attribute.rawValue, type.rawValue, 0, &count, nil)
    return status == 0 ? Int(count) : 0
  }

  func integer(_ attribute: CUDNN.Attribute) throws(CUDNNError) -> Int {
    var (value, count): (Int64, Int64) = (0, 0)
    try check(
      library.getAttribute(
        handle, attribute.rawValue, CUDNN.AttributeType.int64.rawValue, 1, &count, &value))
    return Int(value)
  }

  /// Numbers of an enumeration; `nil` if the library does not say.
  func notes(_ attribute: CUDNN.Attribute, _ type: CUDNN.AttributeType) -> [Int32]? {
    var count: Int64 = 0
    guard
      library.getAttribute(handle, attribute.rawValue, type.rawValue, 0, &count, nil) == 0
    else { return nil }
    guard count > 0 else { return [] }
    var notes = [Int32](repeating: -1, count: Int(count))
    let status = library.getAttribute(
      handle, attribute.rawValue, type.rawValue, count, &count, &notes)
    return status == 0 ? Array(notes.prefix(Int(count))) : nil
  }

  /// Fills descriptors that have been made for the purpose.
  ///
  /// - Returns: those that were filled.
  func descriptors(_ attribute: CUDNN.Attribute, into made: [Descriptor]) throws(CUDNNError)
    -> [Descriptor]
  {
    var handles = made.map(\.handle)
    var count: Int64 = 0
    try check(
      library.getAttribute(
        handle, attribute.rawValue, CUDNN.AttributeType.descriptor.rawValue, Int64(made.count),
        &count, &handles))
    return Array(made.prefix(Int(count)))
  }

  /// Ends the setting of attributes.
  @discardableResult func finalized() throws(CUDNNError) -> Descriptor {
    try check(library.finalize(handle))
    return self
  }
}
