#if Benchmarks
  import ResidualKernelInterface

  /// A layer of a known network.
  struct Layer {
    let name: String
    let extents: ConvolutionExtents

    /// A convolution of square images with `filter / 2` pixels of padding.
    init(
      _ name: String, batch: Int, _ size: Int, _ c: Int, to k: Int, filter: Int, stride: Int = 1
    ) {
      self.name = name
      let padding = filter / 2
      let output = (size + 2 * padding - filter) / stride + 1
      extents = ConvolutionExtents(
        batch: batch, input: (size, size, c), output: (output, output, k),
        filter: (filter, filter), stride: (stride, stride), padding: (padding, padding))
    }

    static let all =
      cifar + resNet50 + [Layer("square 1024", batch: 1024, 1, 1024, to: 1024, filter: 1)]

    private static let cifar = [
      Layer("cifar C3", batch: 128, 32, 3, to: 16, filter: 3),
      Layer("cifar C16", batch: 128, 32, 16, to: 16, filter: 3),
      Layer("cifar C16 to C32", batch: 128, 32, 16, to: 32, filter: 3, stride: 2),
      Layer("cifar C32", batch: 128, 16, 32, to: 32, filter: 3),
      Layer("cifar C32 to C64", batch: 128, 16, 32, to: 64, filter: 3, stride: 2),
      Layer("cifar C64", batch: 128, 8, 64, to: 64, filter: 3),
    ]

    /// Table 1 of the paper; the first block of a stage strides in its 3×3 convolution.
    private static let resNet50 =
      [Layer("resnet50 stem", batch: 4, 224, 3, to: 64, filter: 7, stride: 2)]
      + (2...5).flatMap { stage in
        let (name, size, width) = ("resnet50 conv\(stage)_x ", 224 >> stage, 16 << stage)
        let layers = [
          Layer(name + "1×1 reduce", batch: 4, size, 4 * width, to: width, filter: 1),
          Layer(name + "3×3", batch: 16, size, width, to: width, filter: 3),
          Layer(name + "1×1 expand", batch: 4, size, width, to: 4 * width, filter: 1),
        ]
        let first = [
          Layer(name + "3×3/2", batch: 4, 2 * size, width, to: width, filter: 3, stride: 2),
          Layer(
            name + "shortcut", batch: 4, 2 * size, 2 * width, to: 4 * width, filter: 1, stride: 2),
        ]
        return layers + (stage == 2 ? [] : first)
      }
      + [Layer("resnet50 fc", batch: 128, 1, 2048, to: 1000, filter: 1)]
  }
#endif
