// swift-tools-version: 6.2
import PackageDescription

// Folders have plain names; modules carry one prefix, so that the package can be built beside
// others that have a module `Images` or `Training`.

func module(
  _ folder: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = []
) -> Target {
  .target(
    name: "Residual" + folder, dependencies: dependencies, path: "Sources/" + folder,
    swiftSettings: settings)
}

func tests(_ folder: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "Residual" + folder + (folder.hasSuffix("Tests") ? "" : "Tests"),
    dependencies: dependencies, path: "Tests/" + folder)
}

/// One folder of kernels, compiled once for each instruction set; the folders are symbolic links.
func kernels(_ suffix: String, flags: [String] = [], define: String? = nil) -> Target {
  module(
    "Kernels" + suffix, ["ResidualKernelInterface", "CIntrinsics"],
    settings: [.unsafeFlags(flags.flatMap { ["-Xcc", $0] })] + (define.map { [.define($0)] } ?? []))
}

#if arch(x86_64)
  let kernelModules = [
    kernels(""),
    kernels("AVX2", flags: ["-march=x86-64-v3"], define: "AVX2"),
    kernels("AVX512", flags: ["-march=x86-64-v4"], define: "AVX512"),
  ]
#else
  let kernelModules = [kernels("")]
#endif

let package = Package(
  name: "residual",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "Residual", targets: ["Residual"]),
    .executable(name: "resnet", targets: ["resnet"]),
  ],
  traits: [
    .trait(name: "JPEG", description: "Read JPEG images through libjpeg-turbo."),
    .trait(name: "PNG", description: "Read and write PNG images through libpng."),
    .trait(name: "GZIP", description: "Read gzip-compressed archives through zlib."),
    .trait(name: "ONNX", description: "Read and write ONNX files through swift-protobuf."),
    .trait(name: "Benchmarks", description: "Build kernel-benchmarks, see Benchmarks/kernels."),
    .trait(name: "Fuzzing", description: "Build fuzz-formats, see scripts/fuzz."),
    .default(enabledTraits: ["JPEG", "PNG", "GZIP", "ONNX"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: kernelModules + [
    module("Tensors"),
    module("Graphs", ["ResidualTensors"]),
    module("Networks", ["ResidualGraphs"]),
    module("Execution", ["ResidualGraphs"]),
    module("Reference", ["ResidualExecution"]),
    module("KernelInterface"),
    .target(name: "CIntrinsics", path: "Sources/CIntrinsics"),
    module(
      "CPU",
      ["ResidualExecution", "ResidualKernelInterface", "CIntrinsics"]
        + kernelModules.map { .target(name: $0.name) }),
    .target(
      name: "ResidualCUDA", dependencies: ["ResidualExecution"], path: "Sources/CUDA",
      resources: [.embedInCode("Kernels")]),
    module(
      "Formats",
      ["ResidualTensors", .target(name: "CZlib", condition: .when(traits: ["GZIP"]))]),
    module(
      "Images",
      [
        "ResidualTensors", .target(name: "CTurboJPEG", condition: .when(traits: ["JPEG"])),
        .target(name: "CPNG", condition: .when(traits: ["PNG"])),
      ]),
    module("Datasets", ["ResidualTensors", "ResidualFormats", "ResidualImages"]),
    module(
      "ONNXSchema",
      [
        .product(
          name: "SwiftProtobuf", package: "swift-protobuf", condition: .when(traits: ["ONNX"]))
      ]),
    module(
      "Interchange",
      [
        "ResidualFormats", "ResidualImages", "ResidualNetworks",
        .target(name: "ResidualONNXSchema", condition: .when(traits: ["ONNX"])),
      ]),
    module("Figures"),
    module(
      "Training",
      ["ResidualInterchange", "ResidualExecution", "ResidualDatasets", "ResidualFigures"]),
    .target(
      name: "Residual",
      dependencies: ["ResidualTraining", "ResidualCPU", "ResidualCUDA", "ResidualReference"],
      path: "Sources/Residual"),
    .executableTarget(
      name: "resnet",
      dependencies: [
        "ResidualTraining", "ResidualCPU", "ResidualCUDA", "ResidualFigures",
        .product(name: "ArgumentParser", package: "swift-argument-parser"), "Yams",
      ],
      path: "Sources/resnet"),
    .executableTarget(
      name: "kernel-benchmarks",
      dependencies: ["ResidualCPU", "ResidualFigures"].map {
        .target(name: $0, condition: .when(traits: ["Benchmarks"]))
      },
      path: "Benchmarks/Kernels"),
    .executableTarget(
      name: "fuzz-formats",
      dependencies: [
        .target(name: "ResidualFuzzSupport", condition: .when(traits: ["Fuzzing"]))
      ],
      path: "Fuzzing"),
    tests("GraphsTests", ["ResidualNetworks", "ResidualReference", "ResidualGraphTestSupport"]),
    tests("NetworksTests", ["ResidualNetworks", "ResidualReference", "ResidualGraphTestSupport"]),
    tests("ExecutionTests", ["ResidualExecution", "ResidualReference"]),
    tests("ReferenceTests", ["ResidualNetworks", "ResidualReference"]),
    tests(
      "KernelsTests",
      ["ResidualKernelInterface", "CIntrinsics"]
        + kernelModules.map { .target(name: $0.name) }),
    tests(
      "Conformance",
      [
        "ResidualGraphTestSupport", "ResidualCPU", "ResidualCUDA", "ResidualNetworks",
        "ResidualReference", "ResidualTraining",
      ]),
    tests(
      "CUDATests",
      ["ResidualGraphTestSupport", "ResidualCUDA", "ResidualNetworks", "ResidualReference"]),
    .target(name: "CMallocCounter", path: "Tests/CMallocCounter"),
    .target(name: "ResidualTestSupport", path: "Tests/Support"),
    .target(
      name: "ResidualGraphTestSupport", dependencies: ["ResidualNetworks"],
      path: "Tests/GraphSupport"),
    tests(
      "CPUTests",
      ["ResidualCPU", "ResidualTraining", "ResidualReference", "CIntrinsics", "CMallocCounter"]),
    tests(
      "TrainingTests",
      ["ResidualTraining", "ResidualCPU", "ResidualCUDA", "ResidualTestSupport"]),
    tests(
      "InterchangeTests",
      [
        "ResidualInterchange", "ResidualCPU", "ResidualReference", "ResidualFuzzSupport",
        "ResidualTestSupport",
        .target(name: "ResidualONNXSchema", condition: .when(traits: ["ONNX"])),
      ]),
    tests("FormatsTests", ["ResidualFormats", "ResidualTensors", "ResidualTestSupport"]),
    .target(
      name: "ResidualFuzzSupport",
      dependencies: [
        "ResidualInterchange",
        .target(name: "ResidualONNXSchema", condition: .when(traits: ["ONNX"])),
        .product(
          name: "SwiftProtobuf", package: "swift-protobuf", condition: .when(traits: ["ONNX"])),
      ],
      path: "Tests/FuzzSupport"),
    tests(
      "Attacks",
      [
        "ResidualInterchange", "ResidualFuzzSupport",
        .target(name: "ResidualONNXSchema", condition: .when(traits: ["ONNX"])),
      ]),
    tests("ImagesTests", ["ResidualImages", "ResidualTensors"]),
    tests(
      "DatasetsTests",
      ["ResidualDatasets", "ResidualImages", "ResidualTensors", "ResidualTestSupport"]),
    tests("FiguresTests", ["ResidualFigures"]),
    tests("LibraryTests", ["Residual", "ResidualTestSupport"]),
    tests(
      "resnetTests",
      ["resnet", "ResidualFigures", "ResidualImages", "ResidualCPU", "ResidualTraining"]),
    .target(
      name: "CPNG", path: "Sources/CPNG",
      linkerSettings: [.linkedLibrary("png", .when(traits: ["PNG"]))]),
    .systemLibrary(
      name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CTurboJPEG", path: "Sources/CTurboJPEG", pkgConfig: "libturbojpeg",
      providers: [.apt(["libturbojpeg0-dev"])]),
  ]
)
