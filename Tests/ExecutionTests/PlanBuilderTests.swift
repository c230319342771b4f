import ResidualExecution
import Testing

@Suite struct PlanBuilderTests {
  private func offset(_ plan: Plan<Int>, _ buffer: BufferID) -> Int? {
    guard case .arena(let offset) = plan.buffers[buffer.index].location else { return nil }
    return offset
  }

  @Test func buffersLiveFromTheFirstStepThatTouchesThemToTheLast() {
    var builder = PlanBuilder<Int>()
    let buffers = (0..<4).map {
      builder.temporary("t\($0)", [16], .float32, byteCount: 64)
    }
    // A chain: each step reads one buffer and writes the next; the first is read again at the end.
    builder.append(0, touching: [buffers[0]])
    builder.append(1, touching: [buffers[0], buffers[1]])
    builder.append(2, touching: [buffers[1], buffers[2]])
    builder.append(3, touching: [buffers[2], buffers[3], buffers[0]])
    let plan = builder.finish()
    #expect(plan.steps == [0, 1, 2, 3])
    let offsets = buffers.map { offset(plan, $0) }
    #expect(offsets[1] == offsets[3], "buffer 1 is dead when buffer 3 is born")
    #expect(Set(offsets).count == 3)
    #expect(plan.arenaByteCount == 192)
  }

  @Test func boundariesAndSlotsLieOutsideTheArena() {
    var builder = PlanBuilder<Int>()
    let input = builder.boundary("x", [2, 3], .float32, byteCount: 24)
    let labels = builder.boundary("labels", [2], .int32, byteCount: 8)
    let slot = StateSlot(name: "w", shape: [5], role: .parameter, initialValue: .constant(0))
    let state = builder.state(slot, byteCount: 20)
    let output = builder.boundary("y", [4], .float32, byteCount: 16)
    builder.nameInput("x", input)
    builder.nameInput("labels", labels)
    builder.nameOutput("y", output)
    builder.nameOutput("again", output)
    builder.append(7, touching: [input, state, output], scratchByteCount: 100)
    builder.append(8, touching: [output], scratchByteCount: 30)
    let plan = builder.finish()
    #expect(plan.inputs == ["x": input, "labels": labels])
    #expect(plan.outputs == ["y": output, "again": output])
    #expect(plan.slots.map(\.slot) == [slot] && plan.slots.map(\.buffer) == [state])
    #expect(plan.buffers[state.index].location == .state("w"))
    #expect(plan.buffers[labels.index].elementType == .int32)
    #expect(plan.arenaByteCount == 0)
    #expect(plan.boundaryByteCount == 48)
    #expect(plan.stateByteCount == 20)
    #expect(plan.scratchByteCount == 100)
  }

  @Test func whatNoStepTouchesTakesNoRoom() {
    var builder = PlanBuilder<Int>()
    _ = builder.temporary("unused", [1000], .float32, byteCount: 4000)
    builder.append(0, touching: [])
    #expect(builder.finish().arenaByteCount == 0)
  }
}
