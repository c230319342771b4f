import ResidualKernelInterface

/// The kernels of one instruction set: baseline (SSE2 or NEON), AVX2 or AVX-512, by module.
///
/// Each algorithm stands in its own file as an extension of this type.
public struct Kernels: KernelLibrary {
  /// Kernels hold no state. The module of a wider instruction set needs a machine that has it.
  public init() {}

  public var lanes: Int { Vector.scalarCount }
}
