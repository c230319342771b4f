import CIntrinsics
import ResidualKernelInterface
import ResidualKernels

#if arch(x86_64)
  import ResidualKernelsAVX2
  import ResidualKernelsAVX512
#endif

/// The instruction sets that kernels are compiled for, from the narrowest to the widest.
public enum InstructionSet: String, Hashable, Sendable, CaseIterable, Comparable {
  /// What every processor of the architecture has: SSE2 on x86-64, NEON on 64-bit Arm.
  case baseline
  /// x86-64-v3: 256-bit vectors and fused multiply-add.
  case avx2
  /// x86-64-v4: 512-bit vectors.
  case avx512

  public static func < (a: InstructionSet, b: InstructionSet) -> Bool { a.rank < b.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// Whether this machine runs it.
  public var isAvailable: Bool {
    switch self {
    case .baseline: true
    case .avx2: supportsAVX2()
    case .avx512: supportsAVX512()
    }
  }

  /// Those that this machine runs.
  public static var available: [InstructionSet] { allCases.filter(\.isAvailable) }
  /// The widest that this machine runs.
  public static var best: InstructionSet { available.max() ?? .baseline }

  /// The environment variable that forces an instruction set.
  public static let environmentVariable = "RESNET_ISA"

  /// The instruction set that the environment asks for, or else the best.
  ///
  /// - Throws: ``InstructionSetError``.
  public static func resolve(environment: [String: String]) throws(InstructionSetError)
    -> InstructionSet
  {
    guard let name = environment[environmentVariable], !name.isEmpty else { return best }
    guard let choice = InstructionSet(rawValue: name.lowercased()) else { throw .unknown(name) }
    guard choice.isAvailable else { throw .unavailable(choice) }
    return choice
  }

  /// The kernels compiled for it. They may only be called where ``isAvailable`` holds.
  package var kernels: any KernelLibrary {
    #if arch(x86_64)
      switch self {
      case .baseline: ResidualKernels.Kernels()
      case .avx2: ResidualKernelsAVX2.Kernels()
      case .avx512: ResidualKernelsAVX512.Kernels()
      }
    #else
      ResidualKernels.Kernels()
    #endif
  }
}

/// What the environment asks for and cannot have.
public enum InstructionSetError: Refusal, Hashable {
  /// The name of no instruction set.
  case unknown(String)
  /// One that this machine lacks.
  case unavailable(InstructionSet)

  public var kind: RefusalKind {
    if case .unknown = self { .usage } else { .unavailable }
  }
  public var description: String {
    let variable = InstructionSet.environmentVariable
    let choices = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
    return switch self {
    case .unknown(let name):
      "\(variable)='\(name)' is no instruction set; this machine has \(choices)"
    case .unavailable(let missing):
      "\(variable)='\(missing.rawValue)': this machine lacks it; it has \(choices)"
    }
  }
}
