import ResidualExecution

/// The kernels' source, compiled for the GPU at hand.
package enum KernelCompilation {
  /// Files of the folder Kernels, each after those that it needs.
  private static let files: [[UInt8]] = [
    PackageResources.Prelude_cu, PackageResources.Normalization_cu,
    PackageResources.NormalizationGradient_cu, PackageResources.Elementwise_cu,
    PackageResources.MaxPooling_cu, PackageResources.AveragePooling_cu,
    PackageResources.Movement_cu, PackageResources.Images_cu,
    PackageResources.Loss_cu, PackageResources.Update_cu, PackageResources.Products_cu,
    PackageResources.MatrixUnits_cu, PackageResources.SmallConvolution_cu,
    PackageResources.SmallFilterGradient_cu,
  ]

  /// All of it as one program.
  package static var source: String { String(decoding: files.joined(by: 10), as: UTF8.self) }

  /// Machine code of a module for each type of activations.
  ///
  /// - Parameter capability: of the GPU, such as 9 and 0.
  /// - Throws: ``DeviceUnavailable``.
  static func code(
    for types: Set<ElementType>, _ compiler: RuntimeCompiler, capability: (Int32, Int32)
  ) throws(DeviceUnavailable) -> [ElementType: [CChar]] {
    let source = source
    var code: [ElementType: [CChar]] = [:]
    for type in types.sorted(by: { $0.rawValue < $1.rawValue }) {
      code[type] = try compiler.compile(
        source, name: "\(type.rawValue).cu",
        options: [
          "--gpu-architecture=sm_\(capability.0)\(capability.1)", "--std=c++17",
          "-DREAL_\(type.rawValue.uppercased())",
        ])
    }
    return code
  }
}

extension [[UInt8]] {
  /// The parts with a byte behind each.
  fileprivate func joined(by separator: UInt8) -> [UInt8] { flatMap { $0 + [separator] } }
}
