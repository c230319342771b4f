// The vector of this module's instruction set, and the register tiles that suit it.
//
// This folder is compiled once for each instruction set. All differences between them are in this
// file and in FusedMultiplyAdd.swift; every kernel is written once.
//
// Register tiles: a convolution holds `pixels × vectors` sums, a filter gradient
// `entries × vectors`. They must cover the latency of the multiply-add (4 cycles, 2 a cycle: at least 8) and
// leave registers for `vectors` loaded vectors and one broadcast number. Wide and narrow tiles of
// one instruction set have the same `vectors` in both kernels, and short tiles are as wide as wide
// ones: 8 and 7 pixels, or 6 and 4, cover rows of 7, 14, 28 or 56 with little waste. Rejected after
// measurement: 12 × 1 and 16 × 1 entries with AVX-512, whose sums the compiler leaves in memory.
// Winograd's tiles follow the same rule; `tiles` must divide a block (48), `entries` the lanes.

#if AVX512
  /// 32 registers of 16 floats; a multiply-add broadcasts a number from memory by itself.
  typealias Vector = SIMD16<Float>
  typealias WideTile = ConvolutionTile<8, 2>
  typealias ShortTile = ConvolutionTile<7, 2>
  typealias NarrowTile = ConvolutionTile<8, 1>
  typealias WideGradientTile = FilterGradientTile<8, 2>
  typealias NarrowGradientTile = FilterGradientTile<8, 1>
  typealias WideWinogradTile = WinogradTile<8, 2>
  typealias ShortWinogradTile = WinogradTile<4, 2>
  typealias NarrowWinogradTile = WinogradTile<16, 1>
  typealias WideWinogradGradientTile = WinogradGradientTile<8, 2>
  typealias NarrowWinogradGradientTile = WinogradGradientTile<16, 1>
#elseif AVX2
  /// 16 registers of 8 floats.
  typealias Vector = SIMD8<Float>
  typealias WideTile = ConvolutionTile<6, 2>
  typealias ShortTile = ConvolutionTile<4, 2>
  typealias NarrowTile = ConvolutionTile<8, 1>
  typealias WideGradientTile = FilterGradientTile<6, 2>
  typealias NarrowGradientTile = FilterGradientTile<8, 1>
  typealias WideWinogradTile = WinogradTile<6, 2>
  typealias ShortWinogradTile = WinogradTile<4, 2>
  typealias NarrowWinogradTile = WinogradTile<8, 1>
  typealias WideWinogradGradientTile = WinogradGradientTile<4, 2>
  typealias NarrowWinogradGradientTile = WinogradGradientTile<8, 1>
#elseif arch(arm64)
  /// NEON: 32 registers of 4 floats. Some cores start 4 multiply-adds a cycle: 16 sums.
  typealias Vector = SIMD4<Float>
  typealias WideTile = ConvolutionTile<8, 2>
  typealias ShortTile = ConvolutionTile<7, 2>
  typealias NarrowTile = ConvolutionTile<8, 1>
  typealias WideGradientTile = FilterGradientTile<8, 2>
  typealias NarrowGradientTile = FilterGradientTile<8, 1>
  typealias WideWinogradTile = WinogradTile<8, 2>
  typealias ShortWinogradTile = WinogradTile<4, 2>
  typealias NarrowWinogradTile = WinogradTile<8, 1>
  typealias WideWinogradGradientTile = WinogradGradientTile<4, 2>
  typealias NarrowWinogradGradientTile = WinogradGradientTile<4, 1>
#else
  /// SSE2: 16 registers of 4 floats. The product needs one of its own before it is added.
  typealias Vector = SIMD4<Float>
  typealias WideTile = ConvolutionTile<4, 2>
  typealias ShortTile = ConvolutionTile<3, 2>
  typealias NarrowTile = ConvolutionTile<8, 1>
  typealias WideGradientTile = FilterGradientTile<4, 2>
  typealias NarrowGradientTile = FilterGradientTile<8, 1>
  typealias WideWinogradTile = WinogradTile<4, 2>
  typealias ShortWinogradTile = WinogradTile<4, 2>
  typealias NarrowWinogradTile = WinogradTile<8, 1>
  typealias WideWinogradGradientTile = WinogradGradientTile<4, 2>
  typealias NarrowWinogradGradientTile = WinogradGradientTile<4, 1>
#endif

typealias Input = UnsafePointer<Float>
typealias Output = UnsafeMutablePointer<Float>

/// Floats in a vector.
@inline(__always) var lanes: Int { Vector.scalarCount }

/// Vectors that hold `count` floats.
@inline(__always) func vectorCount(_ count: Int) -> Int { (count &+ lanes &- 1) / lanes }

@inline(__always) func load(_ pointer: Input) -> Vector {
  UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inline(__always) func store(_ vector: Vector, _ pointer: Output) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: Vector.self)
}

/// The first `count` floats at `pointer`, then zeros. Reads nothing after them.
@inline(__always) func load(_ pointer: Input, count: Int) -> Vector {
  if count == lanes { return load(pointer) }
  var vector = Vector.zero
  var i = 0
  while i < count {
    vector[i] = pointer[i]
    i &+= 1
  }
  return vector
}

/// Stores the first `count` floats of `vector`. Writes nothing after them.
@inline(__always) func store(_ vector: Vector, _ pointer: Output, count: Int) {
  if count == lanes { return store(vector, pointer) }
  var i = 0
  while i < count {
    pointer[i] = vector[i]
    i &+= 1
  }
}

/// The bits of each lane.
@inline(__always) func bits(_ vector: Vector) -> Vector.MaskStorage {
  unsafeBitCast(vector, to: Vector.MaskStorage.self)
}

/// The vector of such bits.
@inline(__always) func vector(bits: Vector.MaskStorage) -> Vector {
  unsafeBitCast(bits, to: Vector.self)
}

@inline(__always) func smaller(_ a: Int, _ b: Int) -> Int { a < b ? a : b }
@inline(__always) func larger(_ a: Int, _ b: Int) -> Int { a > b ? a : b }
