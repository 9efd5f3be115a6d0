import {
  compareExactly,
  compareWithFixture,
  type Fixture,
  type ParityChecks,
  type ParityResult,
  tensor,
} from '@ocelli/core-tensor';
import { gridLayout } from '../grids/grid-layout.js';
import { type ImageGrid, imageGrid, imageGridFromConfig } from '../grids/image-grid.js';
import { parsePinpoints } from '../grids/pinpoints.js';
import { selectBestResolution } from '../grids/select-best-resolution.js';
import { cutTiles } from '../image/tiles.js';

type Pair = readonly [number, number];

const sizeOf = ([width, height]: Pair) => ({ width, height });

/** Best canvases of sizes and candidates. */
async function checkBestResolution({ config }: Fixture): Promise<ParityResult> {
  const { rows } = config as {
    readonly rows: readonly { readonly size: Pair; readonly pinpoints: readonly Pair[]; readonly best: Pair }[];
  };
  const computed = rows.map((row) => {
    const { width, height } = selectBestResolution(sizeOf(row.size), row.pinpoints.map(sizeOf));
    return { ...row, best: [width, height] };
  });
  return compareExactly(computed, rows, 'rows');
}

interface TableConfig {
  readonly tile: number;
  readonly features_per_tile_side: number;
  /** By setting, whose name ends in the kind of grid. */
  readonly pinpoints: Readonly<Record<string, string>>;
  readonly rows: readonly ({ readonly size: Pair } & Readonly<Record<string, unknown>>)[];
}

/** Layouts of sizes under several settings. */
async function checkTable({ config }: Fixture): Promise<ParityResult> {
  const { tile, features_per_tile_side: side, pinpoints, rows } = config as TableConfig;
  const grids = Object.entries(pinpoints).map(([setting, image_grid_pinpoints]) => {
    const image_aspect_ratio = /anyres(_max_\d+)?$/.exec(setting)![0];
    return [setting, imageGridFromConfig({ image_aspect_ratio, image_grid_pinpoints }, tile)!] as const;
  });
  const computed = rows.map(({ size }) => ({
    size,
    ...Object.fromEntries(grids.map(([setting, grid]) => [setting, layoutRow(size, grid, side)])),
  }));
  return compareExactly(computed, rows, 'rows');
}

function layoutRow(size: Pair, grid: ImageGrid, featuresPerSide: number): Record<string, unknown> {
  const { canvas, tiles, content, features, unpadded, tokens, newlineTokens } = gridLayout(
    sizeOf(size),
    grid,
    featuresPerSide,
  );
  return {
    best_resolution: [canvas.width, canvas.height],
    grid: [tiles.columns, tiles.rows],
    content_box: [content.left, content.top, content.left + content.width, content.top + content.height],
    features_before_unpad: [features.rows, features.columns],
    features_after_unpad: [unpadded.rows, unpadded.columns],
    unpad_top: unpadded.top,
    unpad_left: unpadded.left,
    visual_tokens: tokens,
    newline_tokens: newlineTokens,
  };
}

/** Bytes of all tiles of an image. */
async function checkTiles(fixture: Fixture): Promise<ParityResult> {
  const { pinpoints, tile } = fixture.config as {
    readonly pinpoints: string | readonly Pair[];
    readonly tile: number;
  };
  const { shape, data } = fixture.tensors.get('in.image')!;
  const [channels, height, width] = shape as [number, number, number];
  const pixels = Uint8Array.from({ length: channels * height * width }, (_, index) => {
    const pixel = Math.floor(index / channels);
    return Number(data[(index % channels) * height * width + pixel]);
  });
  const tiles = cutTiles(
    { width, height, data: pixels },
    imageGrid({ tile, candidates: parsePinpoints(pinpoints, tile) }),
  );
  const size = tile * tile;
  const planes = Float32Array.from({ length: tiles.length * channels * size }, (_, index) => {
    const channel = Math.floor(index / size) % channels;
    return tiles[Math.floor(index / (channels * size))]!.data[(index % size) * channels + channel]!;
  });
  return compareWithFixture(fixture, { outputs: { tiles: tensor(planes, [tiles.length, channels, tile, tile]) } });
}

/** Images of any resolution as grids of tiles. */
export const gridChecks: ParityChecks = {
  'manager/select_best_resolution': checkBestResolution,
  'manager/anyres_table': checkTable,
  'manager/anyres_pixels': checkTiles,
};
