/** The part of the WebAssembly interface that is used here; its types otherwise come with those of browsers. */
interface WebAssemblyInterface {
  readonly Memory: new (limits: { readonly initial: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, WasmMemory>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  validate(bytes: Uint8Array): boolean;
}

export interface WasmMemory {
  /** Another buffer after every `grow`. */
  readonly buffer: ArrayBuffer;
  /** @param pages of 64 KiB each. */
  grow(pages: number): number;
}

type WasmModule = object;

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface }).WebAssembly;
