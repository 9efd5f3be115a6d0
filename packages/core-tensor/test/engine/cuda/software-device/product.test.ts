import type { LibraryHandle } from 'koffi';
import { afterEach, describe, expect, it } from 'vitest';
import { softwareDevice } from './software-device.js';
import { testDevice } from './test-device.js';

const built = await softwareDevice();

const types = { float32: 0, float16: 2, bfloat16: 14 } as const;
type Type = keyof typeof types;

interface MatrixLayout {
  readonly type?: Type;
  readonly rows: number;
  readonly columns: number;
  readonly leading?: number;
  readonly order?: number;
  readonly batchStride?: number;
}

interface Product {
  readonly a: MatrixLayout;
  readonly b: MatrixLayout;
  readonly c?: MatrixLayout;
  readonly d: MatrixLayout;
  readonly batch?: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly compute?: number;
  readonly alpha?: number;
  readonly beta?: number;
  readonly epilogue?: number;
  readonly biasType?: Type;
  /** What is promised about pointers; the library's default where left out. */
  readonly alignment?: number;
  readonly workspace?: boolean;
}

interface Pointers {
  readonly a: bigint;
  readonly b: bigint;
  readonly c?: bigint;
  readonly d: bigint;
  readonly bias?: bigint;
}

describe.skipIf('skipped' in built)('matrix products of the software device', () => {
  const device = testDevice(built);
  afterEach(() => device.reset());
  const functions = new Map<string, ReturnType<LibraryHandle['func']>>();
  const bound = (result: string, name: string, signature: string) => {
    const known = functions.get(name) ?? device.product.func(`${result} ${name}(${signature})`);
    functions.set(name, known);
    return known;
  };
  const check = (name: string, signature: string, ...values: readonly unknown[]) => {
    const status = bound('int', name, signature)(...values) as number;
    if (status !== 0)
      throw new Error(`${name}: status ${status}: ${bound('str', 'cublasLtGetStatusString', 'int status')(status)}`);
  };
  const made = (name: string, signature: string, ...values: readonly unknown[]) => {
    const out = [0n];
    check(name, `_Out_ uint64_t* out${signature}`, out, ...values);
    return BigInt(out[0]!);
  };
  const int32 = (value: number) => new Uint8Array(Int32Array.of(value).buffer);
  const int64 = (value: number | bigint) => new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
  const set = (kind: string, object: bigint, attribute: number, value: Uint8Array) =>
    check(
      `cublasLt${kind}SetAttribute`,
      'uint64_t object, int attribute, void* value, size_t bytes',
      object,
      attribute,
      value,
      value.length,
    );

  function layout(of: MatrixLayout, batch: number): bigint {
    const { type = 'float32', rows, columns, leading = rows, batchStride = leading * columns, order = 0 } = of;
    const object = made(
      'cublasLtMatrixLayoutCreate',
      ', int type, uint64_t rows, uint64_t columns, int64_t leading',
      types[type],
      rows,
      columns,
      leading,
    );
    set('MatrixLayout', object, 1, int32(order));
    set('MatrixLayout', object, 5, int32(batch));
    set('MatrixLayout', object, 6, int64(batchStride));
    return object;
  }

  /** Does a product from the heuristic on; describes nothing that `product` does not. */
  function multiply(product: Product, pointers: Pointers, stream = 0n): void {
    const {
      a,
      b,
      d,
      c = d,
      batch = 1,
      compute = 68,
      alpha = 1,
      beta = 0,
      epilogue = 1,
      alignment,
      workspace = false,
    } = product;
    const handle = made('cublasLtCreate', '');
    const description = made('cublasLtMatmulDescCreate', ', int compute, int scale', compute, 0);
    set('MatmulDesc', description, 3, int32(product.transposeA ? 1 : 0));
    set('MatmulDesc', description, 4, int32(product.transposeB ? 1 : 0));
    set('MatmulDesc', description, 7, int32(epilogue));
    if (pointers.bias !== undefined) set('MatmulDesc', description, 8, int64(pointers.bias));
    if (product.biasType) set('MatmulDesc', description, 26, int32(types[product.biasType]));
    const layouts = [a, b, c, d].map((one) => layout(one, batch));
    const preference = made('cublasLtMatmulPreferenceCreate', '');
    if (workspace) set('MatmulPreference', preference, 1, int64(1 << 20));
    if (alignment)
      for (const attribute of [5, 6, 7, 8]) set('MatmulPreference', preference, attribute, int32(alignment));
    const result = Buffer.alloc(96);
    const found = [0];
    check(
      'cublasLtMatmulAlgoGetHeuristic',
      'uint64_t h, uint64_t o, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t p, int count, void* results, _Out_ int* found',
      ...[handle, description, ...layouts, preference, 1, result, found],
    );
    expect(found).toEqual([1]);
    const workspaceBytes = Number(result.readBigUInt64LE(64));
    const [aLayout, bLayout, cLayout, dLayout] = layouts;
    check(
      'cublasLtMatmul',
      'uint64_t h, uint64_t o, void* alpha, uint64_t a, uint64_t al, uint64_t b, uint64_t bl, void* beta, uint64_t c, uint64_t cl, uint64_t d, uint64_t dl, void* algorithm, uint64_t workspace, size_t bytes, uint64_t stream',
      ...[handle, description, new Uint8Array(Float32Array.of(alpha).buffer), pointers.a, aLayout, pointers.b, bLayout],
      ...[new Uint8Array(Float32Array.of(beta).buffer), pointers.c ?? pointers.d, cLayout, pointers.d, dLayout],
      ...[result, workspaceBytes ? device.allocate(workspaceBytes) : 0n, workspaceBytes, stream],
    );
    for (const object of layouts) check('cublasLtMatrixLayoutDestroy', 'uint64_t object', object);
    check('cublasLtMatmulDescDestroy', 'uint64_t object', description);
    check('cublasLtMatmulPreferenceDestroy', 'uint64_t object', preference);
  }

  /** Values that are exact in every type, with exact sums. */
  const small = (count: number, factor: number) =>
    Array.from({ length: count }, (_, index) => (((index * factor) % 23) - 11) / 8);
  const encoded = (values: readonly number[], type: Type): Float32Array | Uint16Array => {
    if (type === 'float32') return Float32Array.from(values);
    return Uint16Array.from(values, (value) => {
      const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
      if (type === 'bfloat16') return bits >>> 16;
      return value === 0 ? 0 : ((bits >>> 16) & 0x8000) | (((bits & 0x7fffffff) - 0x38000000) >>> 13);
    });
  };
  const decoded = (address: bigint, count: number, type: Type): number[] => {
    if (type === 'float32') return [...device.floats(address, count)];
    const halves = new Uint16Array(new Uint8Array(device.download(address, 2 * count)).buffer);
    return [...halves].map((bits) => {
      if (type === 'bfloat16') return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
      const exponent = (bits >> 10) & 31;
      return (
        (bits >> 15 ? -1 : 1) *
        (exponent ? 2 ** (exponent - 15) * (1 + (bits & 1023) / 1024) : (bits & 1023) * 2 ** -24)
      );
    });
  };

  /** op(a) · op(b) of one pair, in columns. */
  function plain(product: Product, a: readonly number[], b: readonly number[]): number[] {
    const { rows: m, columns: n } = product.d;
    const k = product.transposeA ? product.a.rows : product.a.columns;
    const at = (values: readonly number[], of: MatrixLayout, row: number, column: number) =>
      values[row + column * (of.leading ?? of.rows)]!;
    return Array.from({ length: m * n }, (_, index) => {
      const [row, column] = [index % m, Math.floor(index / m)];
      let sum = 0;
      for (let inner = 0; inner < k; inner++)
        sum +=
          (product.transposeA ? at(a, product.a, inner, row) : at(a, product.a, row, inner)) *
          (product.transposeB ? at(b, product.b, column, inner) : at(b, product.b, inner, column));
      return sum;
    });
  }

  for (const type of ['float32', 'float16', 'bfloat16'] as const)
    it.each([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ])(`multiplies ${type} matrices (transposed: %s, %s)`, (transposeA, transposeB) => {
      const [m, n, k] = [37, 13, 21];
      const product: Product = {
        a: {
          type,
          ...(transposeA ? { rows: k, columns: m, leading: k + 3 } : { rows: m, columns: k, leading: m + 2 }),
        },
        b: { type, ...(transposeB ? { rows: n, columns: k, leading: n + 1 } : { rows: k, columns: n }) },
        d: { type: 'float32', rows: m, columns: n },
        transposeA,
        transposeB,
        workspace: true,
      };
      const a = small(product.a.columns * (product.a.leading ?? product.a.rows), 5);
      const b = small(product.b.columns * (product.b.leading ?? product.b.rows), 7);
      const d = device.allocate(4 * m * n);
      multiply(product, { a: device.upload(encoded(a, type)), b: device.upload(encoded(b, type)), d });
      expect(decoded(d, m * n, 'float32')).toEqual(plain(product, a, b));
    });

  it.each(['float32', 'float16', 'bfloat16'] as const)('scales, adds c and a bias, and rounds to %s', (type) => {
    const [m, n, k] = [6, 5, 4];
    const matrix = (rows: number, columns: number) => ({ type, rows, columns });
    const product: Product = {
      a: matrix(m, k),
      b: matrix(k, n),
      c: matrix(m, n),
      d: { ...matrix(m, n), leading: m + 2 },
      alpha: 0.5,
      beta: 2,
      epilogue: 4 | 2,
    };
    const [a, b, c, bias] = [small(m * k, 5), small(k * n, 7), small(m * n, 3), small(m, 11)];
    const d = device.upload(encoded(new Array((m + 2) * n).fill(9), type));
    const [pa, pb, pc, pBias] = [a, b, c, bias].map((values) => device.upload(encoded(values, type))) as [
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    multiply(product, { a: pa, b: pb, c: pc, d, bias: pBias });
    const values = decoded(d, (m + 2) * n, type);
    const sums = plain({ ...product, d: matrix(m, n) }, a, b);
    for (let column = 0; column < n; column++)
      for (let row = 0; row < m + 2; row++) {
        const index = row + column * m;
        const exact = row < m ? Math.max(0, 0.5 * sums[index]! + 2 * c[index]! + bias[row]!) : 9;
        const steps = type === 'float32' ? 2 ** -24 : type === 'float16' ? 2 ** -11 : 2 ** -8;
        expect(Math.abs(values[row + column * (m + 2)]! - exact)).toBeLessThanOrEqual(Math.abs(exact) * steps);
      }
  });

  it('takes batches by strides, one matrix for all by stride 0, and applies gelu', () => {
    const [m, n, k, batch] = [3, 4, 5, 3];
    const product: Product = {
      a: { rows: m, columns: k, batchStride: 0 },
      b: { rows: k, columns: n },
      d: { rows: m, columns: n },
      batch,
      epilogue: 32,
    };
    const [a, b] = [small(m * k, 5), small(k * n * batch, 7)];
    const d = device.allocate(4 * m * n * batch);
    multiply(product, { a: device.upload(encoded(a, 'float32')), b: device.upload(encoded(b, 'float32')), d });
    const values = decoded(d, m * n * batch, 'float32');
    const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    for (let pair = 0; pair < batch; pair++)
      plain(product, a, b.slice(pair * k * n)).forEach((x, index) => {
        expect(values[pair * m * n + index]).toBeCloseTo(gelu(x), 5);
      });
  });

  it('rounds operands to 10 bits with tf32 and to none without', () => {
    const one = { rows: 1, columns: 1 };
    const x = device.upload(Float32Array.of(1 + 2 ** -12));
    const d = device.allocate(4);
    const square = (compute: number) => {
      multiply({ a: one, b: one, d: one, compute }, { a: x, b: x, d });
      return device.floats(d, 1)[0];
    };
    expect(square(77)).toBe(1);
    expect(square(68)).toBe(Math.fround((1 + 2 ** -12) ** 2));
  });

  it('refuses what the library refuses', () => {
    const [a, b, d] = [1, 2, 3].map(() => device.allocate(4096)) as [bigint, bigint, bigint];
    const square = { rows: 8, columns: 8 };
    const attempt =
      (change: Partial<Product>, pointers: Partial<Pointers> = {}) =>
      () =>
        multiply({ a: square, b: square, d: square, ...change }, { a, b, d, ...pointers });
    const half = { ...square, type: 'bfloat16' } as const;
    expect(attempt({ a: { ...square, leading: 7 } })).toThrow(/status 7: .*leading dimension is less than the rows/);
    expect(attempt({ b: { rows: 9, columns: 8 } })).toThrow(/status 7: .*sizes do not match/);
    expect(attempt({ a: { ...square, order: 1 } })).toThrow(/status 15: .*not held in columns/);
    expect(attempt({ a: half })).toThrow(/status 15: .*data types 14, 0/);
    expect(attempt({ a: half, b: half, d: half, compute: 77 })).toThrow(/status 15/);
    expect(attempt({ epilogue: 160 })).toThrow(/status 15: .*epilogue 160/);
    expect(attempt({ epilogue: 4 })).toThrow(/status 7: .*bias is a null pointer/);
    expect(attempt({ a: half, b: half, d: half, epilogue: 4, biasType: 'float32' }, { bias: a })).toThrow(
      /status 15: .*a bias of type 0/,
    );
    expect(attempt({}, { a: a + 16n })).toThrow(/status 7: .*matrix a is not a multiple of the 256 bytes/);
    expect(attempt({}, { d: a })).toThrow(/status 7: .*result overlaps matrix a/);
    expect(attempt({ a: { rows: 8, columns: 8, leading: 1000 } })).toThrow(
      /status 13: .*matrix a reaches beyond its memory/,
    );
    expect(attempt({ batch: 2, d: { ...square, batchStride: 0 } })).toThrow(/status 7: .*overlap/);
    attempt({ alignment: 16 }, { a: a + 16n })();
  });

  it('is recorded by a capture, with its factors', () => {
    const one = { rows: 1, columns: 1 };
    const stream = [0n];
    device.call('cuStreamCreate', '_Out_ uint64_t* stream, unsigned int flags', stream, 1);
    const on = BigInt(stream[0]!);
    const [x, d] = [device.upload(Float32Array.of(3)), device.upload(Float32Array.of(0))];
    const before = device.read('products');
    device.call('cuStreamBeginCapture_v2', 'uint64_t stream, int mode', on, 1);
    multiply({ a: one, b: one, d: one, alpha: 2 }, { a: x, b: x, d }, on);
    const [graph, executable] = [[0n], [0n]];
    device.call('cuStreamEndCapture', 'uint64_t stream, _Out_ uint64_t* graph', on, graph);
    device.call(
      'cuGraphInstantiateWithFlags',
      '_Out_ uint64_t* e, uint64_t graph, uint64_t flags',
      executable,
      graph[0],
      0,
    );
    expect(device.floats(d, 1)[0]).toBe(0);
    device.call(
      'cuMemsetD32Async',
      'uint64_t to, unsigned int value, size_t count, uint64_t stream',
      x,
      0x40a00000,
      1,
      on,
    );
    device.call('cuGraphLaunch', 'uint64_t graph, uint64_t stream', executable[0], on);
    expect(device.floats(d, 1)[0]).toBe(50);
    expect(device.read('products')).toBe(before + 1);
  });

  it('has the version of its name', () => {
    expect(Number(bound('size_t', 'cublasLtGetVersion', '')())).toBe(130000);
  });
});
