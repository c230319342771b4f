#if Benchmarks
  import ResidualCPU
  import ResidualFigures
  import ResidualKernelInterface

  /// How the constants of the choice of algorithm fit this machine.
  ///
  /// With the costs d of a pixel, w of a tile and f of a filter's transform or reading, per input
  /// channel and vector of output channels,
  ///
  ///     seconds(direct) = unit · d · pixels        seconds(Winograd) = unit · (w · tiles + f)
  ///
  /// d is given and fixes the unit; w and f are the line of least squares, relative to the time.
  enum Fit {
    private struct Point {
      let extents: ConvolutionExtents
      let timing: ConvolutionTiming
    }

    static func print(on device: CPUDevice) throws {
      let costs = ConvolutionAlgorithm.Cost.self
      Swift.print("\(device.instructionSet.rawValue), 1 thread\n")
      var table = TextTable([
        .init("direction"), .init("a tile"), .init("fitted"), .init("a filter"),
        .init("fitted"), .init("wrong choices"),
      ])
      let few = [4, 6, 7, 8, 10, 12, 14, 16]
      let many = [20, 28, 32, 56]
      for (name, direction, packsFilter, filter, sizes) in [
        ("output, packing", ConvolutionDirection.output, true, costs.filter, many),
        ("output, packed before", .output, false, costs.filter, many),
        ("few tiles, packing", .output, true, costs.filterWhenUsed, few),
        ("few tiles, packed before", .output, false, costs.filterWhenUsed, few),
        ("filter gradient", .filterGradient, true, costs.inverseTransform, few + many),
      ] {
        let points = try points(direction, sizes, packsFilter: packsFilter, on: device)
        let (tile, once) = fit(points)
        let wrong = points.filter(\.timing.disagrees)
        let losses = wrong.map {
          "\($0.extents.outputHeight)² \($0.extents.inputChannels)→\($0.extents.outputChannels)"
        }
        table.append([
          name, String(costs.winogradTile), NumberFormat.fixed(tile, decimals: 0),
          String(filter), NumberFormat.fixed(once, decimals: 0),
          "\(wrong.count) of \(points.count)"
            + (losses.isEmpty ? "" : ": " + losses.joined(separator: ", ")),
        ])
      }
      Swift.print("a pixel of the direct kernel: \(costs.directPixel)\n\n" + table.text)
    }

    /// One image of each size, where the filter's transform decides, for two widths.
    private static func points(
      _ direction: ConvolutionDirection, _ sizes: [Int], packsFilter: Bool, on device: CPUDevice
    ) throws -> [Point] {
      try [32, 64, 256].flatMap { channels in
        try sizes.map { size in
          let layer = Layer("", batch: 1, size, channels, to: channels, filter: 3)
          return Point(
            extents: layer.extents,
            timing: try device.time(
              direction, layer.extents, packsFilter: packsFilter, budget: .milliseconds(40)))
        }
      }
    }

    private static func fit(_ points: [Point]) -> (tile: Double, once: Double) {
      // Relative weights: each equation is divided by its own left side.
      var (aa, ab, bb, a1, b1) = (0.0, 0.0, 0.0, 0.0, 0.0)
      for point in points {
        guard let direct = point.timing.seconds[.direct],
          let winograd = point.timing.seconds[.winograd]
        else { continue }
        let pixels = Double(point.extents.outputRows * point.extents.outputWidth)
        let unit = direct / (Double(ConvolutionAlgorithm.Cost.directPixel) * pixels)
        let cost = winograd / unit
        let (a, b) = (Double(ConvolutionAlgorithm.tiles(point.extents)) / cost, 1 / cost)
        aa += a * a
        ab += a * b
        bb += b * b
        a1 += a
        b1 += b
      }
      let determinant = aa * bb - ab * ab
      return ((a1 * bb - b1 * ab) / determinant, (b1 * aa - a1 * ab) / determinant)
    }
  }
#endif
