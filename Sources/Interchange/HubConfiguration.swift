import Foundation
import ResidualFormats
import ResidualNetworks

/// What a folder of Hugging Face says beside the tensors: `config.json` of timm or transformers, and of
/// the latter `preprocessor_config.json`. What is `nil` is left open, or cannot be.
struct HubConfiguration {
  /// The names of the files that folders hold tensors in.
  static let tensorFiles = ["model.safetensors", "pytorch_model.bin"]
  private static let maximumByteCount = 16 << 20
  /// A thousand classes have four thousand values, and those of the larger ImageNet ninety thousand.
  private static let maximumValueCount = 500_000
  /// Bytes from one quotation mark to the next.
  private static let maximumTextLength = 4096

  private(set) var stridePlacement: StridePlacement?
  private(set) var inputSide: Int?
  private(set) var mean: [Float]?, std: [Float]?
  private(set) var view: WeightsOptions.ViewChoice?
  /// See ``WeightsOptions/cropShare``.
  private(set) var cropShare: Double?
  /// Whether images are resized by cubic polynomials.
  private(set) var isBicubic = false
  private(set) var classNames: [String]?
  /// The nonlinearity's name.
  private(set) var activation: String?

  /// The file of tensors in a folder, or the path itself.
  static func tensors(at path: String) -> String {
    tensorFiles.lazy.map { path + "/" + $0 }
      .first { FileManager.default.fileExists(atPath: $0) } ?? path
  }

  /// Whether a file of tensors has a configuration beside it.
  static func isThere(beside path: String) -> Bool {
    tensorFiles.contains((path as NSString).lastPathComponent)
      && FileManager.default.fileExists(atPath: AtomicFile.folder(of: path) + "/config.json")
  }

  /// Reads what lies beside a file of tensors; `nil` if nothing does that is understood.
  init?(beside path: String) {
    guard Self.isThere(beside: path),
      let config = Self.object(path, "config.json")
    else { return nil }
    if config["model_type"] as? String == "resnet" {
      readTransformers(config, Self.object(path, "preprocessor_config.json") ?? [:])
    } else if config["architecture"] is String {
      let preparation = config["pretrained_cfg"] as? [String: Any] ?? [:]
      (mean, std) = (Self.numbers(preparation["mean"]), Self.numbers(preparation["std"]))
      inputSide = Self.side((preparation["input_size"] as? [Any])?.last)
      view = preparation["crop_mode"] as? String == "squash" ? .squash : nil
      cropShare = Self.share(preparation["crop_pct"])
      isBicubic = preparation["interpolation"] as? String == "bicubic"
      classNames = config["label_names"] as? [String]
    } else {
      return nil
    }
    if let std, std.contains(where: { $0 <= 0 }) { self.std = nil }
  }

  private mutating func readTransformers(_ config: [String: Any], _ preparation: [String: Any]) {
    if let first = config["downsample_in_bottleneck"] as? Bool {
      stridePlacement = first ? .first1x1 : .middle3x3
    }
    activation = config["hidden_act"] as? String
    if let labels = config["id2label"] as? [String: String] {
      let names = (0..<labels.count).map { labels[String($0)] }
      classNames = names.contains(nil) ? nil : names.compactMap(\.self)
    }
    (mean, std) = (Self.numbers(preparation["image_mean"]), Self.numbers(preparation["image_std"]))
    let size = preparation["size"]
    let extents = size as? [String: Any]
    inputSide = Self.side(extents?["height"] ?? extents?["shortest_edge"] ?? size)
    view = extents?["height"] == nil ? nil : .squash
    cropShare = Self.share(preparation["crop_pct"])
    isBicubic = preparation["resample"] as? Int == 3
  }

  private static func object(_ path: String, _ name: String) -> [String: Any]? {
    guard let bytes = try? FileBytes(at: AtomicFile.folder(of: path) + "/" + name),
      bytes.count <= maximumByteCount
    else { return nil }
    let data = Data(bytes[0..<bytes.count])
    guard isModest(data) else { return nil }
    return (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
  }

  /// Whether JSON takes little memory and time: a value becomes fifty times its bytes, and a long text
  /// takes long to compare.
  private static func isModest(_ data: Data) -> Bool {
    var (values, length) = (0, 0)
    for byte in data {
      switch byte {
      case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"): values += 1
      default: break
      }
      length = byte == UInt8(ascii: "\"") ? 0 : length + 1
      guard values <= maximumValueCount, length <= maximumTextLength else { return false }
    }
    return true
  }

  private static func numbers(_ value: Any?) -> [Float]? {
    let numbers = (value as? [Any])?.compactMap { ($0 as? NSNumber)?.floatValue } ?? []
    return numbers.count == 3 && numbers.allSatisfy(\.isFinite) ? numbers : nil
  }

  private static func side(_ value: Any?) -> Int? {
    guard let side = value as? Int, Network.inputSides.contains(side) else { return nil }
    return side
  }

  private static func share(_ value: Any?) -> Double? {
    guard let share = (value as? NSNumber)?.doubleValue, (0.25...1).contains(share) else {
      return nil
    }
    return share
  }

  /// Options with what the folder says where they leave it open, and what that is in words.
  func filling(_ options: WeightsOptions) -> (WeightsOptions, remark: Message) {
    var (filled, said) = (options, [String]())
    func fill<Value>(
      _ option: WritableKeyPath<WeightsOptions, Value?>, _ value: Value?, _ words: String
    ) {
      guard filled[keyPath: option] == nil, let value else { return }
      filled[keyPath: option] = value
      said.append(words)
    }
    fill(\.stridePlacement, stridePlacement, "stride")
    fill(\.inputSide, inputSide, "size of images")
    fill(\.mean, mean, "mean")
    fill(\.std, std, "deviation")
    fill(\.view, view, "squashed images")
    fill(\.cropShare, cropShare, "crop")
    if classNames != nil { said.append("classes") }
    let bicubic =
      isBicubic
      ? "; it asks for bicubic resizing, in whose place images are resized bilinearly" : ""
    return (filled, "config.json next to it says: \(said.joined(separator: ", "))\(bicubic)")
  }
}
