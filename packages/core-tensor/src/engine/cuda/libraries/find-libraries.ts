import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type LibraryName, libraryKinds, libraryNames } from './library-kinds.js';
import { type SearchFolder, type SearchSurroundings, searchFolders, surroundings } from './search-folders.js';

/** A file that is one of NVIDIA's libraries, by its name. */
export interface FoundLibrary {
  readonly name: LibraryName;
  readonly path: string;
  /** Why it was looked for there. */
  readonly origin: string;
  /** Major version, where the file's name says it. */
  readonly major: number | undefined;
}

/** What a search found, in the order of the folders. */
export interface LibrarySearch {
  readonly found: { readonly [Name in LibraryName]: readonly FoundLibrary[] };
  readonly searched: readonly SearchFolder[];
}

/**
 * Looks for NVIDIA's libraries by name, without loading any. The environment variable `OCELLI_CUDA_LIBRARIES` names
 * folders that come first.
 */
export function findCudaLibraries(around: SearchSurroundings = surroundings()): LibrarySearch {
  const searched = searchFolders(around);
  const platform = around.platform === 'win32' ? 'win32' : 'linux';
  const found: Record<LibraryName, FoundLibrary[]> = { driver: [], nvrtc: [], cublasLt: [], cudnn: [], nccl: [] };
  const known = new Set<string>();
  for (const { path: folder, origin } of searched) {
    const files = filesOf(folder);
    for (const name of libraryNames) {
      const pattern = libraryKinds[name].files[platform];
      if (!pattern) continue;
      const here = files.flatMap((file) => {
        const match = pattern.exec(file);
        return match ? [{ file, major: match[1] === undefined ? undefined : Number(match[1]) }] : [];
      });
      // The newest first, and of its names the one that others load it by.
      here.sort((a, b) => (b.major ?? 0) - (a.major ?? 0) || a.file.length - b.file.length);
      for (const { file, major } of here) {
        const path = join(folder, file);
        const real = realPathOf(path);
        if (real === undefined || known.has(real)) continue;
        known.add(real);
        found[name].push({ name, path, origin, major: major ?? majorOf(real) });
      }
    }
  }
  return { found, searched };
}

/** The libraries that fit a driver, the likeliest first: not those for a later major version of CUDA than the driver's. */
export function fittingLibraries(
  search: LibrarySearch,
  name: LibraryName,
  driverMajor: number,
): readonly FoundLibrary[] {
  const candidates = search.found[name];
  const followsCuda = name === 'nvrtc' || name === 'cublasLt';
  return followsCuda ? candidates.filter(({ major }) => major === undefined || major <= driverMajor) : candidates;
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Undefined for a link to nothing. */
function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function majorOf(path: string): number | undefined {
  const match = /\.so\.(\d+)/.exec(path);
  return match ? Number(match[1]) : undefined;
}
