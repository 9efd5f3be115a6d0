import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ConversationRecord,
  captionScene,
  decodeImage,
  type GroundTruth,
  generateMicroworld,
  MicroworldError,
  type MicroworldManifest,
  type MicroworldOptionsInput,
  type MicroworldProgress,
  type PopeRow,
  QUESTION_TYPES,
  type RefcocoRow,
  readMicroworldManifest,
  readMicroworldSplit,
  type Scene,
  SHORT_ANSWER_INSTRUCTION,
} from '../../src/index.js';
import { answerFromTruth } from './answer-from-truth.js';

const OPTIONS: MicroworldOptionsInput = {
  seed: 11,
  imageSize: 48,
  scenes: { train: 240, validation: 24, test: 120 },
  questionsPerScene: 3,
  questionTypes: [...QUESTION_TYPES],
};

interface TruthRow {
  readonly id: string;
  readonly image: string;
  readonly scene: Scene;
  readonly truth: GroundTruth;
}

let parent: string;
let directory: string;
let manifest: MicroworldManifest;
const progress: MicroworldProgress[] = [];

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'ocelli-microworld-'));
  directory = join(parent, 'first');
  ({ manifest } = await generateMicroworld(directory, { ...OPTIONS, onProgress: (event) => progress.push(event) }));
});
afterAll(() => rm(parent, { recursive: true }));

const readJson = async <T>(path: string): Promise<T> => JSON.parse(await readFile(join(directory, path), 'utf8')) as T;

const readLines = async <T>(path: string): Promise<T[]> =>
  (await readFile(join(directory, path), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

/** Hash of every file below a directory, by path. */
async function hashes(root: string): Promise<Record<string, string>> {
  const names = await readdir(root, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = await Promise.all(
    files.map(async (file) => [
      file.slice(root.length),
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ]),
  );
  return Object.fromEntries(pairs.sort()) as Record<string, string>;
}

/** Question, answer and type of every turn of a split, with the truth about its picture. */
async function turns(split: string) {
  const records = await readJson<ConversationRecord[]>(`${split}.json`);
  const truths = new Map((await readJson<TruthRow[]>(`truth/${split}.json`)).map((row) => [row.image, row]));
  return records.flatMap(({ image, conversations, question_types: types }) =>
    types.map((type, turn) => ({
      type,
      question: conversations[2 * turn]!.value.replace('<image>\n', ''),
      answer: conversations[2 * turn + 1]!.value,
      row: truths.get(image)!,
    })),
  );
}

describe('the files of a generated microworld', () => {
  it('hold a conversation in LLaVA’s format about every picture', async () => {
    for (const [split, count] of [
      ['train', 240],
      ['validation', 24],
      ['test', 120],
    ] as const) {
      const records = await readJson<ConversationRecord[]>(`${split}.json`);
      expect(records).toHaveLength(count);
      expect(new Set(records.map(({ id }) => id)).size).toBe(count);
      for (const { image, conversations, question_types: types } of records) {
        expect(types).toHaveLength(3);
        expect(conversations.map(({ from }) => from)).toEqual(['human', 'gpt', 'human', 'gpt', 'human', 'gpt']);
        expect(conversations.map(({ value }) => value.split('<image>').length - 1)).toEqual([1, 0, 0, 0, 0, 0]);
        expect(conversations[0]!.value.startsWith('<image>\n')).toBe(true);
        expect(types.slice(0, -1)).not.toContain('caption');
        expect(image).toMatch(new RegExp(`^images/${split}/\\d{6}\\.png$`));
      }
    }
  });

  it('hold pictures of the size asked for', async () => {
    for (const [split, count] of [
      ['train', 240],
      ['validation', 24],
      ['test', 120],
    ] as const) {
      const names = await readdir(join(directory, 'images', split));
      expect(names).toHaveLength(count);
      const image = await decodeImage(join(directory, 'images', split, '000024.png'));
      expect([image.width, image.height]).toEqual([48, 48]);
    }
  });

  it('give answers that follow from the stored truth', async () => {
    let captions = 0;
    for (const split of ['train', 'validation', 'test']) {
      for (const { type, question, answer, row } of await turns(split)) {
        if (type === 'caption') {
          expect(answer).toBe(captionScene(row.scene));
          captions++;
        } else {
          expect([question, answerFromTruth(question, row.truth)]).toEqual([question, answer]);
        }
      }
    }
    expect(captions).toBeGreaterThan(20);
  });

  it('ask every type about equally often', async () => {
    const types = (await turns('train')).map(({ type }) => type);
    for (const type of QUESTION_TYPES) {
      const count = types.filter((other) => other === type).length;
      expect(Math.abs(count - types.length / QUESTION_TYPES.length)).toBeLessThanOrEqual(types.length / 60);
    }
  });

  it('balance yes and no, and give no answer much more often than another', async () => {
    const limits = {
      existence: 0.52,
      relation: 0.54,
      verification: 0.54,
      count: 0.34,
      colour: 0.16,
      shape: 0.2,
      position: 0.15,
      reading: 0.08,
      chart: 0.13,
      neighbour: 0.1,
    };
    const all = await turns('train');
    for (const [type, limit] of Object.entries(limits)) {
      const answers = all.filter((turn) => turn.type === type).map(({ answer }) => answer);
      const most = Math.max(...answers.map((answer) => answers.filter((other) => other === answer).length));
      expect([type, most / answers.length <= limit]).toEqual([type, true]);
      expect(manifest.statistics.train[type]).toEqual({
        questions: answers.length,
        answers: new Set(answers).size,
        constantAccuracy: most / answers.length,
      });
    }
  });

  it('use a small vocabulary', async () => {
    const text = (await turns('train')).map(({ question, answer }) => `${question} ${answer}`).join(' ');
    const words = new Set(
      text
        .replace(/[^A-Za-z0-9]+/g, ' ')
        .trim()
        .split(' '),
    );
    const wordsWithoutNumbers = [...words].filter((word) => !/^\d+$/.test(word));
    expect(wordsWithoutNumbers.length).toBeGreaterThan(80);
    expect(wordsWithoutNumbers.length).toBeLessThan(150);
    expect(words.size).toBeLessThan(300);
  });

  it('hold captions for pre-training', async () => {
    const records = await readJson<ConversationRecord[]>('pretrain.json');
    const rows = await readJson<TruthRow[]>('truth/train.json');
    expect(records.map(({ conversations }) => conversations)).toEqual(
      rows.map(({ scene }) => [
        { from: 'human', value: '<image>' },
        { from: 'gpt', value: captionScene(scene) },
      ]),
    );
    expect(records.map(({ image }) => image)).toEqual(rows.map(({ image }) => image));
  });

  it('report progress up to the last picture', () => {
    expect(progress).toHaveLength(384);
    expect(progress.at(-1)).toEqual({ split: 'test', done: 384, total: 384 });
    expect(progress.map(({ done }) => done)).toEqual(Array.from({ length: 384 }, (_, index) => index + 1));
  });

  it('append an instruction to questions with short answers', async () => {
    const target = join(parent, 'instructed');
    await generateMicroworld(target, {
      seed: 1,
      scenes: { train: 6 },
      questionTypes: ['count', 'box', 'caption'],
      answerInstruction: SHORT_ANSWER_INSTRUCTION,
    });
    const records = JSON.parse(await readFile(join(target, 'train.json'), 'utf8')) as ConversationRecord[];
    const ends = records.map(({ conversations }) => conversations[0]!.value.endsWith(`?\n${SHORT_ANSWER_INSTRUCTION}`));
    expect(ends).toEqual([true, false, false, true, false, false]);
    expect(await readdir(join(target, 'benchmarks')).catch(() => 'none')).toBe('none');
  });
});

describe('the benchmarks of the test split', () => {
  const truthByName = async () =>
    new Map((await readJson<TruthRow[]>('truth/test.json')).map((row) => [row.image.replace('images/test/', ''), row]));

  it.each(['random', 'popular', 'adversarial'])(
    'POPE %s: rows with right labels, half of them yes',
    async (category) => {
      const truths = await truthByName();
      const rows = await readLines<PopeRow>(`benchmarks/pope/pope_${category}.jsonl`);
      expect(rows.map((row) => row.question_id)).toEqual(rows.map((_, index) => index + 1));
      expect(rows.filter(({ label }) => label === 'yes').length).toBe(rows.length / 2);
      expect(rows.length).toBeGreaterThan(400);
      for (const { image, text, label } of rows) {
        expect(answerFromTruth(text, truths.get(image)!.truth).toLowerCase()).toBe(label);
      }
    },
  );

  it('POPE adversarial: absent pairs whose colour and shape both appear, wherever there are any', async () => {
    const truths = await truthByName();
    const share = async (category: string): Promise<number> => {
      const negatives = (await readLines<PopeRow>(`benchmarks/pope/pope_${category}.jsonl`)).filter(
        ({ label }) => label === 'no',
      );
      const mixed = negatives.filter(({ image, text }) => {
        const [, colour, shape] = /an? (\w+) (\w+) in/.exec(text)!;
        const { objects } = truths.get(image)!.truth;
        return objects.some((item) => item.colour === colour) && objects.some((item) => item.shape === shape);
      });
      return mixed.length / negatives.length;
    };
    expect(await share('adversarial')).toBeGreaterThan(0.7);
    expect(await share('random')).toBeLessThan(0.35);
  });

  it.each(['existence', 'count', 'position', 'color', 'OCR'])(
    'MME %s: a Yes and a No line beside each picture',
    async (category) => {
      const truths = await truthByName();
      const folder = join(directory, 'benchmarks/mme', category);
      const names = (await readdir(folder)).filter((name) => name.endsWith('.txt'));
      expect(names.length).toBeGreaterThan(15);
      for (const name of names) {
        const image = name.replace('.txt', '.png');
        expect(await readFile(join(folder, image))).toEqual(await readFile(join(directory, 'images/test', image)));
        const lines = (await readFile(join(folder, name), 'utf8')).split('\n');
        expect(lines).toHaveLength(3);
        expect(lines[2]).toBe('');
        for (const [index, answer] of (['Yes', 'No'] as const).entries()) {
          const [question, label] = lines[index]!.split('\t');
          expect(question!.endsWith(' Please answer yes or no.')).toBe(true);
          expect(label).toBe(answer);
          expect(answerFromTruth(question!.replace(' Please answer yes or no.', ''), truths.get(image)!.truth)).toBe(
            answer,
          );
        }
      }
    },
  );

  it('RefCOCO: boxes in pixels of the one object that the sentence names', async () => {
    const truths = await truthByName();
    const rows = await readLines<RefcocoRow>('benchmarks/refcoco/test.jsonl');
    expect(rows.length).toBeGreaterThan(100);
    for (const { image, sent, bbox, width, height } of rows) {
      const found = truths.get(image)!.truth.objects.filter((item) => `${item.colour} ${item.shape}` === sent);
      expect(found).toHaveLength(1);
      const [x, y, w, h] = found[0]!.box;
      expect(bbox).toEqual([x, y, x + w, y + h]);
      expect([width, height]).toEqual([48, 48]);
    }
  });
});

describe('readMicroworldSplit', () => {
  it('gives pictures, questions, types and truth together', async () => {
    const samples = await readMicroworldSplit(directory, 'validation');
    expect(samples).toHaveLength(24);
    expect(samples.flatMap(({ questions }) => questions.map(({ type, text, answer }) => [type, text, answer]))).toEqual(
      (await turns('validation')).map(({ type, question, answer }) => [type, question, answer]),
    );
    for (const { image, truth } of samples) {
      expect((await decodeImage(image)).width).toBe(truth.width);
    }
    expect((await readMicroworldManifest(directory)).hash).toBe(manifest.hash);
  });

  it('refuses a directory that holds none, and damaged files, by name', async () => {
    await expect(readMicroworldSplit(parent, 'train')).rejects.toThrow(/no microworld.json/);
    const damaged = join(parent, 'damaged-truth');
    await generateMicroworld(damaged, { seed: 5, scenes: { train: 3 } });
    await writeFile(join(damaged, 'truth/train.json'), '[]');
    await expect(readMicroworldSplit(damaged, 'train')).rejects.toThrow(/without the picture train-000001/);
    await writeFile(join(damaged, 'train.json'), '[{');
    await expect(readMicroworldSplit(damaged, 'train')).rejects.toThrow(/unreadable train.json/);
    await writeFile(join(damaged, 'microworld.json'), '{"format":"ocelli-microworld","version":0}');
    await expect(readMicroworldSplit(damaged, 'train')).rejects.toThrow(MicroworldError);
  });
});

describe('generating again', () => {
  it('gives the same files with another number of workers', async () => {
    const second = join(parent, 'second');
    await generateMicroworld(second, { ...OPTIONS, workers: 7 });
    const [a, b] = [await hashes(directory), await hashes(second)];
    expect(Object.keys(a).length).toBeGreaterThan(700);
    expect(b).toEqual(a);
  });

  it('gives other scenes with another seed, and other pictures in each split', async () => {
    const third = join(parent, 'third');
    await generateMicroworld(third, { ...OPTIONS, seed: 12, scenes: { train: 20, test: 20 } });
    const other = JSON.parse(await readFile(join(third, 'truth/train.json'), 'utf8')) as TruthRow[];
    const test = JSON.parse(await readFile(join(third, 'truth/test.json'), 'utf8')) as TruthRow[];
    const train = await readJson<TruthRow[]>('truth/train.json');
    for (let index = 0; index < 20; index++) {
      expect(other[index]!.scene).not.toEqual(train[index]!.scene);
      expect(other[index]!.scene).not.toEqual(test[index]!.scene);
    }
  });

  it('reuses the same dataset without writing', async () => {
    const before = await hashes(directory);
    const again = await generateMicroworld(directory, { ...OPTIONS, onProgress: () => expect.fail('drew a picture') });
    expect(again.reused).toBe(true);
    expect(again.manifest).toEqual(JSON.parse(JSON.stringify(manifest)));
    expect(await hashes(directory)).toEqual(before);
  });

  it('refuses a directory of another dataset, of other files, and a file, and leaves them alone', async () => {
    await expect(generateMicroworld(directory, { ...OPTIONS, seed: 99 })).rejects.toThrow(/other options/);
    const foreign = join(parent, 'foreign');
    await mkdir(foreign);
    await writeFile(join(foreign, 'thesis.tex'), 'years of work');
    await expect(generateMicroworld(foreign, OPTIONS)).rejects.toThrow(MicroworldError);
    await expect(generateMicroworld(join(foreign, 'thesis.tex'), OPTIONS)).rejects.toThrow(/a file of this name/);
    expect(await readFile(join(foreign, 'thesis.tex'), 'utf8')).toBe('years of work');
    expect(await readdir(foreign)).toEqual(['thesis.tex']);
  });

  it('refuses a damaged copy, naming what is missing', async () => {
    const damaged = join(parent, 'damaged');
    const small = { seed: 5, scenes: { train: 8 } };
    await generateMicroworld(damaged, small);
    await rm(join(damaged, 'images/train/000003.png'));
    await expect(generateMicroworld(damaged, small)).rejects.toThrow(/7 of 8 pictures in images\/train/);
    await rm(join(damaged, 'pretrain.json'));
    await expect(generateMicroworld(damaged, small)).rejects.toThrow(/pretrain.json missing/);
    await writeFile(join(damaged, 'microworld.json'), '{"hash":');
    await expect(generateMicroworld(damaged, small)).rejects.toThrow(/unreadable microworld.json/);
  });

  it('fills an empty directory', async () => {
    const empty = join(parent, 'empty');
    await mkdir(empty);
    const { reused } = await generateMicroworld(empty, { seed: 5, scenes: { train: 3 } });
    expect(reused).toBe(false);
    expect(await readdir(join(empty, 'images/train'))).toHaveLength(3);
  });

  it('leaves one whole dataset when two runs race', async () => {
    const raced = join(parent, 'raced');
    const small = { seed: 6, scenes: { train: 12 } };
    const results = await Promise.all([
      generateMicroworld(raced, small),
      generateMicroworld(raced, { ...small, workers: 1 }),
    ]);
    expect(results.map(({ reused }) => reused).sort()).toEqual([false, true]);
    expect((await generateMicroworld(raced, small)).reused).toBe(true);
  });
});

describe('failing', () => {
  const leftovers = async (name: string): Promise<string[]> =>
    (await readdir(parent)).filter((entry) => entry.includes(name));

  it('leaves nothing behind when it is aborted or the callback throws', async () => {
    const controller = new AbortController();
    const aborted = generateMicroworld(join(parent, 'aborted'), {
      ...OPTIONS,
      signal: controller.signal,
      onProgress: ({ done }) => done === 10 && controller.abort(),
    });
    await expect(aborted).rejects.toThrow(/aborted/);
    const thrown = generateMicroworld(join(parent, 'thrown'), {
      ...OPTIONS,
      onProgress: () => {
        throw new Error('disk full');
      },
    });
    await expect(thrown).rejects.toThrow('disk full');
    expect(await leftovers('aborted')).toEqual([]);
    expect(await leftovers('thrown')).toEqual([]);
  });

  it.each([
    [{ scenes: { train: 4, test: 4 }, seed: 1, imagesize: 64 }, 'imagesize'],
    [{ scenes: { train: 4 } }, 'seed'],
    [{ seed: -1, scenes: { train: 4 } }, 'seed'],
    [{ seed: 1 }, 'scenes'],
    [{ seed: 1, scenes: { train: 0 } }, 'scenes'],
    [{ seed: 1, scenes: { train: 4, dev: 4 } }, 'dev'],
    [{ seed: 1, scenes: { train: 4 }, imageSize: 8 }, 'imageSize'],
    [{ seed: 1, scenes: { train: 4 }, questionTypes: [] }, 'questionTypes'],
    [{ seed: 1, scenes: { train: 4 }, questionTypes: ['count', 'count'] }, 'questionTypes'],
    [{ seed: 1, scenes: { train: 4 }, questionTypes: ['mood'] }, 'questionTypes'],
    [{ seed: 1, scenes: { train: 4 }, scene: { colour: 'red' } }, 'scene'],
    [{ seed: 1, scenes: { train: 4 }, scene: { sizes: { small: 2, large: 900 } } }, 'scene.sizes.small'],
    [{ seed: 1, scenes: { train: 4 }, scene: { content: 'shapes' }, questionTypes: ['reading'] }, 'scene.content'],
    [
      { seed: 1, scenes: { train: 4 }, questionTypes: ['relation'], scene: { objects: { minimum: 1, maximum: 1 } } },
      'type "relation"',
    ],
  ])('refuses %j naming the option, and writes nothing', async (options, name) => {
    const target = join(parent, 'refused');
    const failure = generateMicroworld(target, options as never);
    await expect(failure).rejects.toThrow(MicroworldError);
    await expect(failure).rejects.toThrow(name);
    expect(await leftovers('refused')).toEqual([]);
  });
});
