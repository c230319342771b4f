/// A graph made ready for one device and one set of input shapes. It is immutable and never saved.
public struct Plan<Step: Sendable>: Sendable {
  /// What a run consists of, after the preparation.
  package let steps: [Step]
  /// Steps that read nothing but slots which the plan leaves alone, such as the packing of filters.
  /// They run before the first run, and again when the store has changed.
  package let preparation: [Step]
  /// Every tensor that steps read or write, by ``BufferID``.
  package let buffers: [PlannedBuffer]
  /// The buffers to be filled before a run, by the inputs' names.
  package let inputs: [String: BufferID]
  /// The buffers that hold results after a run, by the outputs' names.
  package let outputs: [String: BufferID]
  /// The graph's state slots, with their buffers.
  package let slots: [(slot: StateSlot, buffer: BufferID)]
  /// Bytes of the arena that holds what lives only within a step.
  package let arenaByteCount: Int
  /// The most bytes of the arena that are needed at one time: no layout is smaller.
  package let leastArenaByteCount: Int
  /// Bytes of what the preparation computes.
  package let derivedByteCount: Int
  /// Bytes of scratch memory that each worker needs.
  package let scratchByteCount: Int
  /// Whether a run writes slots.
  package let changesState: Bool
  /// Bytes of the buffers that each step reads and writes, each buffer once.
  package let stepByteCounts: [Int]

  /// Bytes of inputs and outputs, which lie outside the arena.
  package var boundaryByteCount: Int {
    buffers.reduce(0) { total, buffer in
      if case .boundary = buffer.location { total + buffer.byteCount } else { total }
    }
  }
  /// Bytes of the state slots.
  package var stateByteCount: Int {
    slots.reduce(0) { $0 + buffers[$1.buffer.index].byteCount }
  }
}

/// The index of a buffer in its plan.
package struct BufferID: Hashable, Sendable {
  /// The buffer's place in ``Plan/buffers``.
  package let index: Int
  package init(index: Int) { self.index = index }
}

/// A tensor's place in memory.
package struct PlannedBuffer: Hashable, Sendable {
  /// Which memory holds a buffer.
  package enum Location: Hashable, Sendable {
    /// In the arena, at a byte offset.
    case arena(offset: Int)
    /// With other results of the preparation, at a byte offset.
    case derived(offset: Int)
    /// In memory of its own that the session keeps: inputs and outputs.
    case boundary
    /// In the store, as the slot of this name.
    case state(String)
  }

  /// The path of the node that makes the tensor, or the name of an input or slot.
  package let path: String
  /// The tensor's extents, outermost first; of a packed filter, its number of floats.
  package let shape: Shape
  /// The type in the graph; what real numbers are kept in is ``Device/realType``.
  package let elementType: ElementType
  /// The size in bytes, as the device keeps the tensor.
  package let byteCount: Int
  /// Where the bytes lie.
  package let location: Location
}
