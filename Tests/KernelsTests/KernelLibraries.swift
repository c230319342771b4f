import CIntrinsics
import ResidualKernelInterface
import ResidualKernels
import Testing

#if arch(x86_64)
  import ResidualKernelsAVX2
  import ResidualKernelsAVX512
#endif

/// A kernel library that this machine can run, with a name for test reports.
struct NamedLibrary: Sendable, CustomTestStringConvertible {
  let name: String
  let kernels: any KernelLibrary

  var testDescription: String { name }

  static let all: [NamedLibrary] = {
    var libraries = [NamedLibrary(name: "baseline", kernels: ResidualKernels.Kernels())]
    #if arch(x86_64)
      if supportsAVX2() {
        libraries.append(NamedLibrary(name: "AVX2", kernels: ResidualKernelsAVX2.Kernels()))
      }
      if supportsAVX512() {
        libraries.append(NamedLibrary(name: "AVX-512", kernels: ResidualKernelsAVX512.Kernels()))
      }
    #endif
    return libraries
  }()
}
