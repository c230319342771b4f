/// The libraries' messages name options as Swift does, in grave accents. On the command line they are
/// flags.
extension String {
  /// The text with flags in the place of such names.
  var namingFlags: String {
    guard contains("`") else { return self }
    return OptionWords.flags.reduce(self) { text, word in
      text.replacing("`\(word.key)`", with: word.value)
    }
  }
}

private enum OptionWords {
  static let flags = [
    "averagingMean": "--average-mean", "batchSize": "--batch-size",
    "channelOrder": "--channel-order", "inputRange": "--input-range", "inputSide": "--img-size",
    "learningRate": "--lr", "libraries": "--cuda-libraries", "mean": "--mean",
    "memoryLimit": "--memory-limit", "model": "--model", "opset": "--opset",
    "precision": "--precision", "preprocessing": "--preprocessing", "recomputation": "--recompute",
    "shortcutPadding": "--shortcut-padding", "std": "--std", "stridePlacement": "--stride-on",
    "style": "--hub-style", "warmupRate": "--warmup-lr",
  ]
}
