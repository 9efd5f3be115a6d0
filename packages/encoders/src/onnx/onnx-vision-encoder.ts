import {
  ConfigError,
  cast,
  concat,
  formatShape,
  importOnnx,
  Module,
  type OnnxModule,
  placeholder,
  ShapeError,
  sliceAxis,
  type Tensor,
  transpose,
} from '@ocelli/core-tensor';
import type { FeatureOptions, VisionEncoder } from '../vision-encoder.js';
import { mapToTokens } from '../vit/patches.js';
import { type OnnxVisionConfig, type OnnxVisionConfigInput, parseOnnxVisionConfig } from './config.js';
import { copyModelFiles } from './copy-model-files.js';
import { type TokenGrid, tokenGrid } from './token-grid.js';

const operation = 'OnnxVisionEncoder';

/** The result that a model of Hugging Face has its features in. */
const usualOutput = 'last_hidden_state';

/** Features of some pixels as tokens, and the grid that they lie in. */
interface Features extends TokenGrid {
  readonly tokens: Tensor;
}

/**
 * An ONNX graph as an encoder, in place of any other; its weights never train. What it needs to be told is how its result
 * is to be read: `output` may be tokens [batch, tokens, width] or a map [batch, width, rows, columns].
 */
export class OnnxVisionEncoder extends Module implements VisionEncoder {
  readonly config: OnnxVisionConfig;
  readonly graph: OnnxModule;
  readonly width: number;

  /**
   * @throws OnnxError if the file cannot be read, or needs what is not supported
   * @throws ConfigError if a field is unknown or invalid, the graph has no such input or output, or does not tell what is
   *   left out
   * @throws ShapeError if the output is neither tokens nor a map
   */
  constructor(config: OnnxVisionConfigInput) {
    super();
    const given = parseOnnxVisionConfig(config);
    this.graph = importOnnx(given.file, { outputs: (results) => [given.output ?? usualResult(results)] });
    const input = pixelsOf(this.graph, given.input);
    const imageSize = given.imageSize ?? declaredSize(this.graph, input);
    const { file, patchSize, layout } = given;
    // As far as it is known: what is read from the features of one image comes next.
    this.config = {
      type: 'onnx',
      file,
      input,
      output: this.graph.outputs[0]!,
      imageSize,
      ...(patchSize !== undefined && { patchSize }),
      prefixTokens: given.prefixTokens ?? 0,
      layout,
    };
    const { prefixTokens, tokens } = this.read(this.exampleOf(imageSize, imageSize), given.prefixTokens);
    this.config = { ...this.config, prefixTokens };
    this.width = tokens.shape[2]!;
  }

  get imageSize(): number {
    return this.config.imageSize;
  }

  /**
   * pixels [batch, channels, height, width] → [batch, rows · columns, width]. A graph that was exported for a fixed batch
   * is repeated.
   *
   * @throws ConfigError if a layer is chosen
   * @throws ShapeError if the graph does not take pixels of this shape, or its batch does not divide this one
   */
  features(pixels: Tensor, { layer }: FeatureOptions = {}): Tensor {
    if (layer !== undefined) {
      throw new ConfigError({
        operation: `${operation}.features`,
        expected: 'no layer: the graph has one kind of features',
        received: String(layer),
        remedy: 'Name the value that the layer gives as output of its configuration.',
      });
    }
    const batch = pixels.shape[0]!;
    const fixed = this.declared[0];
    if (typeof fixed !== 'number' || fixed === batch) return this.read(pixels, this.config.prefixTokens).tokens;
    if (batch % fixed !== 0) {
      throw new ShapeError({
        operation: `${operation}.features`,
        expected: `a multiple of ${fixed} images, which the graph was exported for`,
        received: [pixels.shape],
        remedy: 'Export it with a dynamic batch axis.',
      });
    }
    const parts = Array.from({ length: batch / fixed }, (_, part) =>
      sliceAxis(pixels, 0, part * fixed, (part + 1) * fixed),
    );
    return concat(
      parts.map((part) => this.read(part, this.config.prefixTokens).tokens),
      0,
    );
  }

  /** Rows and columns of the features of an image of this size in pixels, by recording the graph. */
  featureGrid(height: number = this.config.imageSize, width: number = height): [rows: number, columns: number] {
    const { rows, columns } = this.read(this.exampleOf(height, width), this.config.prefixTokens);
    return [rows, columns];
  }

  /**
   * Copies the model and the files beside it into a folder.
   *
   * @param subfolder of the folder, where they shall lie. Default: `vision`.
   * @returns the configuration with the path of the copy, which starts from the folder
   * @throws CheckpointError if a file cannot be read or written
   */
  async copyFiles(folder: string, subfolder = 'vision'): Promise<OnnxVisionConfig> {
    const { file } = this.config;
    return { ...this.config, file: await copyModelFiles(file, this.graph.externalFiles, { folder, subfolder }) };
  }

  /** What the graph says of the pixels' shape. */
  private get declared(): readonly (number | string | undefined)[] {
    return this.graph.inputs.find(({ name }) => name === this.config.input)!.shape ?? [];
  }

  private exampleOf(height: number, width: number): Tensor {
    const [batch, channels] = this.declared;
    const or = (size: number | string | undefined, usual: number) => (typeof size === 'number' ? size : usual);
    return placeholder([or(batch, 1), or(channels, 3), height, width]);
  }

  /** Features of pixels, and their grid. */
  private read(pixels: Tensor, prefixTokens: number | undefined): Features {
    const { input, output, layout, patchSize } = this.config;
    const dtype = this.graph.inputs.find(({ name }) => name === input)!.type === 'float16' ? 'float16' : 'float32';
    const result = cast(this.graph.forward({ [input]: cast(pixels, dtype) })[output]!, 'float32');
    if (result.shape.length === 4) {
      const map = layout === 'channels-last' ? transpose(result, [0, 3, 1, 2]) : result; // [batch, width, rows, columns]
      const [rows, columns] = map.shape.slice(2) as [number, number];
      return { rows, columns, prefixTokens: 0, tokens: mapToTokens(map) };
    }
    const [height, width] = pixels.shape.slice(2) as [number, number];
    const count = result.shape[1]!;
    if (result.shape.length !== 3) {
      throw new ShapeError({
        operation,
        expected: `${output} to be tokens [batch, tokens, width] or a map [batch, width, rows, columns]`,
        received: [result.shape],
        remedy: 'Name another value of the graph as output, such as what its last block gives.',
      });
    }
    const grid = tokenGrid(count, { height, width, patchSize, prefixTokens });
    if (!grid) {
      throw new ConfigError({
        operation,
        expected: `patches of ${height} × ${width} pixels, and tokens in front of them, as ${count} tokens`,
        received: `patchSize ${patchSize ?? 'unknown'}, prefixTokens ${prefixTokens ?? 'unknown'}`,
        remedy: 'Give patchSize and prefixTokens as they are.',
      });
    }
    return { ...grid, tokens: sliceAxis(result, 1, grid.prefixTokens) };
  }
}

function usualResult(results: readonly string[]): string {
  const result = results.includes(usualOutput) ? usualOutput : results[0]!;
  if (result === usualOutput || results.length === 1) return result;
  throw new ConfigError({
    operation,
    expected: 'an output, as the graph has several results',
    received: `none; there are ${results.join(', ')}`,
  });
}

/** Name of the argument for the pixels. */
function pixelsOf(graph: OnnxModule, wanted: string | undefined): string {
  const names = graph.inputs.map(({ name }) => name);
  const [first, ...others] = graph.inputs;
  if (first && others.length === 0 && (wanted ?? first.name) === first.name) return first.name;
  throw new ConfigError({
    operation,
    expected: `features that need ${wanted ?? 'the pixels'} alone`,
    received: `a graph that needs ${names.join(', ') || 'nothing'} for ${graph.outputs.join(', ')}`,
    remedy: 'Name another output, or export the vision part of the model by itself.',
  });
}

function declaredSize(graph: OnnxModule, input: string): number {
  const { shape } = graph.inputs.find(({ name }) => name === input)!;
  const [height, width] = shape?.slice(2) ?? [];
  if (typeof height === 'number' && height === width) return height;
  throw new ConfigError({
    operation,
    expected: 'imageSize, as the graph takes images of any size',
    received: `${input} ${shape === undefined ? 'of any shape' : formatShape(shape as readonly number[])}`,
  });
}
