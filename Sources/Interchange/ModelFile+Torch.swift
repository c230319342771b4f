import ResidualFormats
import ResidualNetworks
import ResidualTensors

extension ModelFile {
  /// The tensors as a state dict of PyTorch has them: in the order of the layers, after each running
  /// variance the number of batches that were seen.
  ///
  /// - Parameter name: of a tensor in the file, for a slot's.
  func stateDictionary(_ name: (String) -> String = { $0 }) -> [SafetensorsEntry] {
    let steps = Int64(provenance[Self.stepField] ?? "") ?? 0
    return network.slots.flatMap { slot -> [SafetensorsEntry] in
      guard let tensor = tensors[slot.name] else { return [] }
      var entries = [SafetensorsEntry(name(slot.name), tensor)]
      if slot.name.hasSuffix(BatchNormalization.runningVariance) {
        let layer = slot.name.dropLast(BatchNormalization.runningVariance.count)
        let counter = String(layer) + "num_batches_tracked"
        // Layers from a file may have a tensor of that name.
        if tensors[counter] == nil {
          entries.append(SafetensorsEntry(name(counter), Tensor<Int64>(.scalar, [steps])))
        }
      }
      return entries
    }
  }

  /// Writes the parameters as a checkpoint that `torch.load` reads with `weights_only=True` and
  /// `load_state_dict` takes with `strict=True`, whole or not at all. The names are torchvision's.
  ///
  /// - Throws: ``FileError``.
  public func writeTorch(to path: String) throws {
    try TorchFile.write(stateDictionary(), to: path)
  }
}
