import { ConfigError, compile, type ImportOnnxOptions, importOnnx, type Tensor, tensor } from '@ocelli/core-tensor';
import type { PixelValues, RgbImage } from '@ocelli/data';

/** A model of pictures in an ONNX file. */
export interface OnnxFile extends Pick<ImportOnnxOptions, 'folder'> {
  /** Path of the file, or its bytes. */
  readonly source: string | Uint8Array;
  /** Name of the input that takes the pixels. Default: `pixel_values`, or `x` of a text reader's models. */
  readonly pixels?: string;
  /** Further inputs, the same for every picture: a detector's tokenised queries, for example. */
  readonly inputs?: Readonly<Record<string, Tensor>>;
}

/** What a model computes, by the names of its results. */
export type OnnxResults = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number | bigint> }>
>;

/**
 * A function from pixels [3, height, width] to the results of a model, which is read on the first call.
 *
 * @param results that the model has to have; `first` for the first one, under that name
 */
export function onnxProgram(
  { source, folder, pixels: name = 'pixel_values', inputs = {} }: OnnxFile,
  results: readonly string[] | 'first',
): (pixels: PixelValues) => Promise<OnnxResults> {
  let run: ((pixels: Tensor) => Promise<Record<string, Tensor>>) | undefined;
  return async ({ data, height, width }) => {
    run ??= open();
    const computed = await run(tensor(data, [1, 3, height, width]));
    const read = Object.entries(computed).map(async ([result, values]) => {
      const { shape } = values;
      const numbers = (await values.data()) as ArrayLike<number | bigint>;
      return [results === 'first' ? 'first' : result, { shape, data: numbers }] as const;
    });
    return Object.fromEntries(await Promise.all(read));
  };

  function open() {
    const model = importOnnx(source, {
      outputs: (known) => {
        if (results === 'first') return known.slice(0, 1);
        const missing = results.filter((result) => !known.includes(result));
        if (missing.length === 0) return results;
        throw new ConfigError({
          operation: 'onnxVisionModels',
          expected: `a model with results ${results.join(', ')}`,
          received: known.join(', '),
          remedy: 'Export the model with these names.',
        });
      },
      ...(folder !== undefined && { folder }),
    });
    return compile((pixels: Tensor) => model.forward({ ...inputs, [name]: pixels }));
  }
}

/** Results as floats. */
export function floats({ data }: OnnxResults[string]): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data, Number);
}

/** Results as numbers. */
export function numbers({ data }: OnnxResults[string]): number[] {
  return Array.from(data, Number);
}

/**
 * Which of red and blue a model gets first. `published`: what MoAI's code gives it, which hands RGB to models that
 * expect BGR, so that both are swapped for them; MoAI was trained with what they find that way. `correct`: what the model
 * was made for.
 */
export type ChannelOrder = 'published' | 'correct';

/** A picture with red and blue in each other's place. */
export function swapped(picture: RgbImage): RgbImage {
  const data = picture.data.map((_, index) => picture.data[index + [2, 0, -2][index % 3]!]!);
  return { ...picture, data };
}
