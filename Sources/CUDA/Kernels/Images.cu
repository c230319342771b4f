// A batch of images out of a set that lies on the GPU as bytes, each with its window and mirroring.

struct AssembleImagesArguments {
  const uint8* pixels;
  const int* samples;
  const float *mean, *deviation;
  Real* output;
  int images, setCount, height, width, channels, outputChannels, perPixel;
};

/// A thread writes one pixel of the result, with zeros behind its channels.
KERNEL assembleImages(const AssembleImagesArguments a) {
  begin();
  const uint64 count = static_cast<uint64>(a.images) * a.height * a.width;
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const int x = static_cast<int>(i % a.width);
    const int y = static_cast<int>(i / a.width % a.height);
    const int* sample = a.samples + i / (static_cast<uint64>(a.width) * a.height) * 4;
    const int row = y + sample[1];
    const int column = (sample[3] ? a.width - 1 - x : x) + sample[2];
    const bool inside = sample[0] >= 0 && sample[0] < a.setCount && row >= 0 && row < a.height
      && column >= 0 && column < a.width;
    const uint64 pixel = static_cast<uint64>(row) * a.width + column;
    const uint8* bytes = a.pixels
      + (static_cast<uint64>(sample[0]) * a.height * a.width + pixel) * a.channels;
    for (int c = 0; c < a.outputChannels; c++) {
      float value = 0;
      if (inside && c < a.channels) {
        const uint64 place = a.perPixel ? pixel * a.channels + c : c;
        value = (static_cast<float>(bytes[c]) / 255 - a.mean[place]) / a.deviation[place];
      }
      store(a.output[i * a.outputChannels + c], value);
    }
  }
}
