import { type AnyTypedArray, allocate, type DType } from '../../dtype.js';

/** Arrays below this many bytes are cheaper to allocate than to keep. */
const smallest = 4096;

/** Keeps freed arrays for the next results of the same size, so that a training loop allocates nothing. */
export class ArrayPool {
  private readonly free = new Map<string, AnyTypedArray[]>();
  private readonly own = new WeakSet<AnyTypedArray>();
  private kept = 0;

  /** @param limit bytes kept at most. */
  constructor(private readonly limit = 2 ** 30) {}

  /** An array of `length` elements; its contents are left over. */
  take(dtype: DType, length: number): AnyTypedArray {
    const array = this.free.get(`${arrayKind(dtype)}${length}`)?.pop();
    if (array) {
      this.kept -= array.byteLength;
      return array;
    }
    const fresh = allocate(dtype, length);
    this.own.add(fresh);
    return fresh;
  }

  /** Takes an array back; one from elsewhere is left alone, as nobody might ever ask for its size. */
  give(array: AnyTypedArray): void {
    if (!this.own.has(array) || array.byteLength < smallest || this.kept + array.byteLength > this.limit) return;
    const key = `${array.constructor.name}${array.length}`;
    const list = this.free.get(key);
    if (list) list.push(array);
    else this.free.set(key, [array]);
    this.kept += array.byteLength;
  }
}

function arrayKind(dtype: DType): string {
  return allocate(dtype, 0).constructor.name;
}
