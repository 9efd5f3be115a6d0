import { mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  commits,
  gitHash,
  type HubFile,
  type HubServer,
  sha256,
  startHub,
} from '../../../../test/support/hub-server.js';
import {
  CheckpointError,
  type FetchOptions,
  fetchCheckpoint,
  fetchCheckpointOutline,
  openCheckpoint,
  serializeSafetensors,
} from '../../src/index.js';
import { temporaryFolders } from '../safetensors/files.js';

const id = 'somebody/some-model';
const text = (value: string) => new TextEncoder().encode(value);
const shards = [0, 1].map((index) =>
  serializeSafetensors({
    [`layers.${index}.weight`]: { dtype: 'float32', shape: [1000], data: new Float32Array(1000).fill(index + 1) },
  }),
);
const index = text(
  JSON.stringify({
    metadata: { total_size: 8000 },
    weight_map: {
      'layers.0.weight': 'model-00001-of-00002.safetensors',
      'layers.1.weight': 'model-00002-of-00002.safetensors',
    },
  }),
);
const files: Record<string, HubFile> = {
  'README.md': { contents: text('# A model') },
  'config.json': { contents: text('{"model_type":"llama"}') },
  'empty.json': { contents: text('') },
  'model-00001-of-00002.safetensors': { contents: shards[0]!, isLarge: true },
  'model-00002-of-00002.safetensors': { contents: shards[1]!, isLarge: true },
  'consolidated.safetensors': { contents: shards[0]!, isLarge: true },
  'model.safetensors.index.json': { contents: index },
  'onnx/model.onnx': { contents: text('onnx'), isLarge: true },
  'pytorch_model.bin': { contents: text('a program'), isLarge: true },
  'pytorch_model.bin.index.json': { contents: text('{}') },
  'tokenizer.json': { contents: text('{"version":"1.0"}') },
  'tokenizer.model': { contents: text('pieces'), isLarge: true },
};
const wanted = [
  'config.json',
  'empty.json',
  'model-00001-of-00002.safetensors',
  'model-00002-of-00002.safetensors',
  'model.safetensors.index.json',
  'tokenizer.json',
  'tokenizer.model',
];

describe('fetchCheckpoint', () => {
  const newFolder = temporaryFolders();
  const servers: HubServer[] = [];
  let hub: HubServer;
  let cacheDir: string;

  beforeEach(async () => {
    hub = await serve(files);
    cacheDir = await newFolder();
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  async function serve(contents: Record<string, HubFile>): Promise<HubServer> {
    const server = await startHub(id, contents);
    servers.push(server);
    return server;
  }

  function fetchIt(options: FetchOptions = {}): Promise<string> {
    return fetchCheckpoint(id, { hubUrl: hub.url, cacheDir, ...options });
  }

  async function refusal(promise: Promise<unknown>): Promise<CheckpointError> {
    const error: unknown = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(CheckpointError);
    return error as CheckpointError;
  }

  const blobs = () => join(cacheDir, 'models--somebody--some-model', 'blobs');

  it('downloads weights, configurations and tokenizer, and no pickles, into a folder that opens', async () => {
    const folder = await fetchIt();
    expect(folder).toBe(join(cacheDir, 'models--somebody--some-model', 'snapshots', commits[0]));
    expect((await readdir(folder)).sort()).toEqual(wanted);
    for (const name of wanted) {
      expect(Buffer.compare(await readFile(join(folder, name)), files[name]!.contents)).toBe(0);
    }
    const checkpoint = await openCheckpoint(folder);
    expect((await checkpoint.read('layers.1.weight')).data[0]).toBe(2);
    await checkpoint.close();
    expect(hub.requests.filter((request) => /\.bin|consolidated|onnx|README/.test(request))).toEqual([]);
  });

  it('lays its cache out as huggingface_hub does', async () => {
    const folder = await fetchIt();
    const [config, shard] = ['config.json', 'model-00001-of-00002.safetensors'] as const;
    expect(await readlink(join(folder, config))).toBe(join('..', '..', 'blobs', gitHash(files[config]!.contents)));
    expect(await readlink(join(folder, shard))).toBe(join('..', '..', 'blobs', sha256(shards[0]!)));
    expect(await readFile(join(folder, '..', '..', 'refs', 'main'), 'utf8')).toBe(commits[0]);
    expect((await readdir(blobs())).filter((name) => !/^[0-9a-f]+$/.test(name))).toEqual([]);
  });

  it('asks nothing for a commit that is there, and downloads nothing twice', async () => {
    const folder = await fetchIt();
    hub.requests.length = 0;
    expect(await fetchIt({ revision: commits[0] })).toBe(folder);
    expect(hub.requests).toEqual([]);
    expect(await fetchIt()).toBe(folder);
    expect(hub.requests.filter((request) => request.includes('/resolve/'))).toEqual([]);
  });

  it('follows a branch to its new commit, and keeps the old one', async () => {
    const first = await fetchIt();
    hub.branches.set('main', commits[1]);
    const second = await fetchIt();
    expect(second).toBe(join(first, '..', commits[1]));
    expect((await readdir(first)).sort()).toEqual(wanted);
    expect((await readdir(second)).sort()).toEqual(wanted);
  });

  it('uses what is there without a connection', async () => {
    const folder = await fetchIt();
    await hub.close();
    expect(await fetchIt()).toBe(folder);
    await rm(join(folder, 'model-00002-of-00002.safetensors'));
    const { message } = await refusal(fetchIt());
    expect(message).toMatch(
      /^fetch somebody\/some-model: expected an answer from http:.*, received none \(ECONNREFUSED\)/,
    );
    expect(message).toContain('Check the connection, or name a folder that holds the model.');
  });

  it('goes on where the connection was cut', async () => {
    hub.misbehaviour.cutAfter = { bytes: 1500, times: 2 };
    const folder = await fetchIt();
    const name = 'model-00001-of-00002.safetensors';
    expect(Buffer.compare(await readFile(join(folder, name)), shards[0]!)).toBe(0);
    const resumed = hub.requests.filter((request) => request.includes(name) && /bytes=[1-9]/.test(request));
    expect(resumed).toEqual([
      `GET /${id}/resolve/${commits[0]}/${name} bytes=1500-${shards[0]!.length - 1}`,
      `GET /${id}/resolve/${commits[0]}/${name} bytes=3000-${shards[0]!.length - 1}`,
    ]);
  });

  it('goes on where an earlier call was stopped', async () => {
    const controller = new AbortController();
    const stop = new Error('enough');
    hub.misbehaviour.cutAfter = { bytes: 2000, times: 1 };
    const stopped = fetchIt({
      signal: controller.signal,
      onProgress: ({ file, bytes }) => {
        if (file.startsWith('model-00001') && bytes.done > 2000) controller.abort(stop);
      },
    });
    await expect(stopped).rejects.toBe(stop);
    const partial = `${sha256(shards[0]!)}.incomplete`;
    expect((await readFile(join(blobs(), partial))).length).toBe(2000);
    expect(await readdir(blobs())).not.toContain(sha256(shards[0]!));
    hub.requests.length = 0;
    const folder = await fetchIt();
    expect(hub.requests).toContain(
      `GET /${id}/resolve/${commits[0]}/model-00001-of-00002.safetensors bytes=2000-${shards[0]!.length - 1}`,
    );
    expect(Buffer.compare(await readFile(join(folder, 'model-00001-of-00002.safetensors')), shards[0]!)).toBe(0);
    expect((await readdir(blobs())).filter((name) => name.includes('.'))).toEqual([]);
  });

  it('refuses contents that are not those of their hash, and forgets them', async () => {
    hub.misbehaviour.instead = Uint8Array.from(files['config.json']!.contents, (byte) => byte ^ 1);
    const error = await refusal(fetchIt({ files: ['config.json'] }));
    expect(error.message).toContain(`22 bytes with the hash ${gitHash(files['config.json']!.contents)}`);
    expect(await readdir(blobs())).toEqual([]);
    delete hub.misbehaviour.instead;
    const folder = await fetchIt({ files: ['config.json'] });
    expect(await readdir(folder)).toEqual(['config.json']);
  });

  it('downloads chosen files, also for a snapshot that lacks them', async () => {
    const folder = await fetchIt({ files: ['tokenizer.json', /^onnx\//] });
    expect((await readdir(folder)).sort()).toEqual(['onnx', 'tokenizer.json']);
    expect(await readFile(join(folder, 'onnx', 'model.onnx'), 'utf8')).toBe('onnx');
    expect((await readdir(await fetchIt({ revision: commits[0] }))).sort()).toEqual([...wanted, 'onnx'].sort());
    const { message } = await refusal(fetchIt({ files: ['pytorch_model.bin', /\.pt$/] }));
    expect(message).toMatch(/files like pytorch_model.bin, .*received only pytorch_model.bin/);
  });

  it('tells how far it is, over all files', async () => {
    const reports: { file: string; done: number; total: number }[] = [];
    await fetchIt({ onProgress: ({ file, bytes }) => reports.push({ file, ...bytes }) });
    const total = wanted.reduce((sum, name) => sum + files[name]!.contents.length, 0);
    expect(reports.at(-1)).toEqual({ file: 'model-00002-of-00002.safetensors', done: total, total });
    expect(reports.map(({ done }) => done)).toEqual(reports.map(({ done }) => done).toSorted((a, b) => a - b));
  });

  it('downloads once where two ask at the same time', async () => {
    const folders = await Promise.all([fetchIt(), fetchIt()]);
    expect(folders[0]).toBe(folders[1]);
    const whole = hub.requests.filter((request) => request.endsWith('model-00002-of-00002.safetensors'));
    expect(whole).toHaveLength(1);
  });

  it('takes the single file where a repository has both layouts, and all files of an adapter', async () => {
    await hub.close();
    hub = await serve({ ...files, 'model.safetensors': { contents: shards[0]!, isLarge: true } });
    expect((await readdir(await fetchIt())).filter((name) => name.endsWith('.safetensors'))).toEqual([
      'model.safetensors',
    ]);
    hub = await serve({
      'adapter_model.safetensors': { contents: shards[0]! },
      'adapter_config.json': { contents: index },
    });
    const folder = await fetchIt({ cacheDir: await newFolder() });
    expect((await readdir(folder)).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
  });

  it.each([
    [{ modelStatus: 401 }, /status 401: no access.* for a private or gated model give a token/],
    [{ fileStatus: 403 }, /status 403: Access to model is restricted.* Ask for access on the model's page/],
    [{ modelStatus: 404 }, /status 404: .*Check the id and the revision/],
    [{ modelStatus: 503 }, /status 503: .*Try again later/],
  ])('says what an answer of %o means', async (misbehaviour, message) => {
    Object.assign(hub.misbehaviour, misbehaviour);
    expect((await refusal(fetchIt())).message).toMatch(message);
  });

  it('names a revision that is not there', async () => {
    expect((await refusal(fetchIt({ revision: 'nowhere' }))).message).toContain('Invalid rev id');
    expect((await refusal(fetchIt({ revision: '../../main' }))).message).toContain('a branch, tag or commit');
  });

  it('sends a token', async () => {
    await fetchIt({ token: 'hf_secret', files: ['config.json'] });
    expect([...hub.tokens]).toEqual(['Bearer hf_secret']);
    expect((await refusal(fetchIt({ token: 'secret' }))).message).toContain("must start with 'hf_'");
  });

  it('explains a repository of pickles', async () => {
    await hub.close();
    hub = await serve({ 'config.json': files['config.json']!, 'pytorch_model.bin': files['pytorch_model.bin']! });
    const { message } = await refusal(fetchIt());
    expect(message).toMatch(/expected safetensors files.*received only pytorch_model.bin.*convert these first/);
  });

  it('leaves out names and hashes that would leave the cache', async () => {
    const entry = { type: 'file', size: 1, oid: 'c'.repeat(40) };
    hub.misbehaviour.moreEntries = [
      { ...entry, path: '../evil.json' },
      { ...entry, path: 'C:\\evil.json' },
      { ...entry, path: '/evil.json' },
      { ...entry, path: 'evil.json', oid: '../../evil' },
    ];
    expect((await readdir(await fetchIt())).sort()).toEqual(wanted);
  });

  it('says when the cache cannot be written', async () => {
    await writeFile(join(cacheDir, 'file'), '');
    const { message } = await refusal(fetchIt({ cacheDir: join(cacheDir, 'file') }));
    expect(message).toMatch(/to keep the files in the cache, received ENOTDIR/);
  });

  it('knows names, dtypes and shapes without the weights', async () => {
    const outline = await fetchCheckpointOutline(id, { hubUrl: hub.url, cacheDir });
    expect(outline.hasWeights).toBe(false);
    const reader = await openCheckpoint(outline.folder);
    expect(reader.info('layers.1.weight')).toEqual({ dtype: 'float32', shape: [1000], byteLength: 4000 });
    await reader.close();
    expect(await readFile(join(outline.folder, 'config.json'), 'utf8')).toBe('{"model_type":"llama"}');
    const data = hub.requests.filter(
      (request) => request.includes('.safetensors ') && !/bytes=(0-0|0-7|8-\d+)$/.test(request),
    );
    expect(data).toEqual([]);
    expect(hub.requests.filter((request) => /tokenizer|README/.test(request))).toEqual([]);
    await outline.remove();
    expect(await readdir(join(outline.folder, '..'))).not.toContain(basename(outline.folder));

    const folder = await fetchIt();
    expect(await fetchCheckpointOutline(id, { hubUrl: hub.url, cacheDir })).toMatchObject({ folder, hasWeights: true });
  });

  it('returns a folder or file as it is, and refuses what is neither that nor an id', async () => {
    const folder = join(cacheDir, 'local', 'model');
    await mkdir(folder, { recursive: true });
    expect(await fetchCheckpoint(folder, { hubUrl: hub.url })).toBe(folder);
    for (const name of ['./nowhere/model', join(cacheDir, 'nowhere'), 'nowhere', '../a/b', 'a/b/c']) {
      expect((await refusal(fetchCheckpoint(name, { hubUrl: hub.url }))).message).toContain('owner/name');
    }
    expect(hub.requests).toEqual([]);
  });
});
