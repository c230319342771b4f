// swift-tools-version: 6.2
import PackageDescription

// Folders have plain names; modules carry one prefix, so that the package can be built beside
// others that have a module `Images` or `Training`. Below, modules are named by their folders.

/// Modules without the prefix.
let unprefixed: Set = ["CIntrinsics", "CMallocCounter", "CPNG", "CTurboJPEG", "CZlib", "resnet"]
/// Products of other packages, and their packages.
let products = [
  "ArgumentParser": "swift-argument-parser", "SwiftProtobuf": "swift-protobuf", "Yams": "Yams",
]
/// What is a dependency only with a trait, and the trait.
let traits = [
  "CPNG": "PNG", "CTurboJPEG": "JPEG", "CZlib": "GZIP", "ONNXSchema": "ONNX",
  "SwiftProtobuf": "ONNX",
]

func moduleName(_ folder: String) -> String {
  folder.hasPrefix("Residual") || unprefixed.contains(folder) ? folder : "Residual" + folder
}

func dependency(_ name: String, trait: String? = nil) -> Target.Dependency {
  let condition = (trait ?? traits[name]).flatMap { TargetDependencyCondition.when(traits: [$0]) }
  guard let package = products[name] else {
    return .target(name: moduleName(name), condition: condition)
  }
  return .product(name: name, package: package, condition: condition)
}

func module(
  _ folder: String, _ uses: [String] = [], in path: String? = nil,
  resources: [Resource] = [], settings: [SwiftSetting] = [], linker: [LinkerSetting] = []
) -> Target {
  .target(
    name: moduleName(folder), dependencies: uses.map { dependency($0) },
    path: path ?? "Sources/" + folder, resources: resources, swiftSettings: settings,
    linkerSettings: linker)
}

/// A program; with a trait, one that is empty without it.
func program(_ name: String, _ uses: [String], in path: String, trait: String? = nil) -> Target {
  .executableTarget(name: name, dependencies: uses.map { dependency($0, trait: trait) }, path: path)
}

/// One folder of kernels, compiled once for each instruction set; the folders are symbolic links.
var kernelModules = [module("Kernels", ["KernelInterface", "CIntrinsics"])]
#if arch(x86_64)
  for (suffix, flag) in [("AVX2", "-march=x86-64-v3"), ("AVX512", "-march=x86-64-v4")] {
    kernelModules.append(
      module(
        "Kernels" + suffix, ["KernelInterface", "CIntrinsics"],
        settings: [.unsafeFlags(["-Xcc", flag]), .define(suffix)]))
  }
#endif

let modules = [
  module("Platform"),
  module("Tensors", ["Platform"]),
  module("Graphs", ["Tensors"]),
  module("Networks", ["Graphs"]),
  module("Execution", ["Graphs"]),
  module("Reference", ["Execution"]),
  module("CIntrinsics"),
  module("KernelInterface"),
  module("CPU", ["Execution", "KernelInterface", "CIntrinsics"] + kernelModules.map(\.name)),
  module("CUDA", ["Execution"], resources: [.embedInCode("Kernels")]),
  module("Formats", ["Tensors", "CZlib"]),
  module("Images", ["Tensors", "CTurboJPEG", "CPNG"]),
  module("Datasets", ["Tensors", "Formats", "Images"]),
  module("ONNXSchema", ["SwiftProtobuf"]),
  module(
    "Interchange", ["Formats", "Images", "Networks", "ONNXSchema"],
    resources: [.embedInCode("ImageNet.txt")]),
  module("Figures", ["Platform"]),
  module("Inference", ["Interchange", "Execution", "Images"]),
  module("Training", ["Inference", "Datasets", "Yams"]),
  module("Runs", ["Training", "Figures"]),
  module("Residual", ["Runs", "CPU", "CUDA", "Reference"]),
  module("CPNG", linker: [.linkedLibrary("png", .when(traits: ["PNG"]))]),
  .systemLibrary(
    name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
  .systemLibrary(
    name: "CTurboJPEG", path: "Sources/CTurboJPEG", pkgConfig: "libturbojpeg",
    providers: [.apt(["libturbojpeg0-dev"])]),

  program("kernel-benchmarks", ["CPU", "Figures"], in: "Benchmarks/Kernels", trait: "Benchmarks"),
  program("fuzz-formats", ["FuzzSupport"], in: "Tests/Fuzzing", trait: "Fuzzing"),
  program(
    "resnet", ["Runs", "CPU", "CUDA", "Figures", "ArgumentParser"], in: "Sources/resnet"),

  module("CMallocCounter", in: "Tests/CMallocCounter"),
  module("TestSupport", ["Networks", "CMallocCounter"], in: "Tests/Support"),
  module("FuzzSupport", ["Interchange", "ONNXSchema", "SwiftProtobuf"], in: "Tests/FuzzSupport"),
]

/// Folders of tests, and what they import.
let tests: KeyValuePairs = [
  "Attacks": ["Interchange", "FuzzSupport", "ONNXSchema", "TestSupport"],
  "Conformance": ["CPU", "CUDA", "Reference", "Networks", "Training", "TestSupport"],
  "CPUTests": ["CPU", "Reference", "Training", "CIntrinsics", "CMallocCounter", "TestSupport"],
  "CUDATests": ["CUDA", "Reference", "Networks", "TestSupport"],
  "DatasetsTests": ["Datasets", "Images", "Tensors", "TestSupport"],
  "ExecutionTests": ["Execution", "Reference", "TestSupport"],
  "FiguresTests": ["Figures"],
  "FormatsTests": ["Formats", "Tensors", "TestSupport"],
  "GraphsTests": ["Networks", "Reference", "TestSupport"],
  "ImagesTests": ["Images", "Tensors"],
  "InterchangeTests": [
    "Interchange", "CPU", "Reference", "TestSupport", "FuzzSupport", "ONNXSchema",
  ],
  "KernelsTests": ["KernelInterface", "CIntrinsics"] + kernelModules.map(\.name),
  "LibraryTests": ["Residual", "TestSupport"],
  "NetworksTests": ["Networks", "Reference", "TestSupport"],
  "ReferenceTests": ["Networks", "Reference"],
  "TrainingTests": ["Runs", "CPU", "CUDA", "TestSupport"],
  "resnetTests": ["resnet", "Runs", "CPU", "Figures", "Images", "TestSupport"],
]

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
  targets: kernelModules + modules
    + tests.map { folder, dependencies in
      .testTarget(
        name: "Residual" + folder + (folder.hasSuffix("Tests") ? "" : "Tests"),
        dependencies: dependencies.map { dependency($0) }, path: "Tests/" + folder)
    })
