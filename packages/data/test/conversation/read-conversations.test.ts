import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConversation, readConversations } from '../../src/conversation/read-conversations.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ocelli-conversations-'));
  await writeFile(join(directory, 'kite.png'), 'not looked into');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const KITE = {
  id: 'kite-7',
  image: 'kite.png',
  extra: { source: 'test' },
  conversations: [
    { from: 'human', value: '<image>\nWhat is it?' },
    { from: 'gpt', value: 'A kite.' },
  ],
};

async function file(name: string, content: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

describe('readConversations', () => {
  it('reads an array and resolves images beside the file', async () => {
    const text = {
      conversations: [
        { from: 'system', value: 'Brief.' },
        { from: 'human', value: 'Hi' },
        { from: 'gpt', value: 'Hello' },
      ],
    };
    const path = await file('data.json', JSON.stringify([KITE, text, { ...KITE, id: 12 }]));
    expect(await readConversations(path)).toEqual([
      {
        id: 'kite-7',
        images: [join(directory, 'kite.png')],
        turns: [
          { role: 'user', text: '<image>\nWhat is it?' },
          { role: 'assistant', text: 'A kite.' },
        ],
      },
      {
        id: 'data.json#1',
        images: [],
        turns: [
          { role: 'system', text: 'Brief.' },
          { role: 'user', text: 'Hi' },
          { role: 'assistant', text: 'Hello' },
        ],
      },
      expect.objectContaining({ id: '12' }),
    ]);
  });

  it('reads one record a line, whatever the line ends', async () => {
    const path = await file('data.jsonl', `${JSON.stringify(KITE)}\r\n\n${JSON.stringify({ ...KITE, id: 'last' })}`);
    const conversations = await readConversations(path);
    expect(conversations.map(({ id }) => id)).toEqual(['kite-7', 'last']);
  });

  it('names the sample whose image does not exist', async () => {
    const path = await file('missing.json', JSON.stringify([KITE, { ...KITE, id: 'gone', image: 'gone.png' }]));
    await expect(readConversations(path)).rejects.toMatchObject({
      name: 'ConversationError',
      sampleId: 'gone',
      file: path,
      value: join(directory, 'gone.png'),
    });
    expect(await readConversations(path, { verifyImages: false })).toHaveLength(2);
    await expect(readConversations(path, { imageRoot: join(directory, 'elsewhere') })).rejects.toMatchObject({
      sampleId: 'kite-7',
    });
  });

  it('names the file and line that cannot be read', async () => {
    await expect(readConversations(join(directory, 'no.json'))).rejects.toThrow(/no\.json.*ENOENT/);
    await expect(readConversations(join(directory, 'no.jsonl'))).rejects.toThrow(/no\.jsonl.*ENOENT/);
    await expect(readConversations(await file('cut.json', '[{"id": 1'))).rejects.toThrow(/cut\.json: expected JSON/);
    await expect(readConversations(await file('object.json', '{}'))).rejects.toThrow(/a JSON array of samples/);
    await expect(readConversations(await file('cut.jsonl', `${JSON.stringify(KITE)}\n{`))).rejects.toThrow(
      /cut\.jsonl:2: expected JSON/,
    );
  });
});

describe('parseConversation', () => {
  const broken: readonly (readonly [string, object, RegExp])[] = [
    ['an unknown role', { conversations: [{ from: 'robot', value: 'Hi' }] }, /role among human, .*received "robot"/],
    ['no conversations', { conversations: [] }, /conversations: /],
    ['a turn without text', { conversations: [{ from: 'human' }] }, /conversations\.0\.value/],
    ['a first turn of the assistant', { conversations: KITE.conversations.slice(1) }, /user to speak in turn 0/],
    [
      'two turns of the user',
      { conversations: [KITE.conversations[0], KITE.conversations[0]] },
      /assistant to speak in turn 1, received the user/,
    ],
    [
      'an empty answer',
      { conversations: [KITE.conversations[0], { from: 'gpt', value: ' \n' }] },
      /text in turn 1, of the assistant/,
    ],
    ['a marker without image', { image: null }, /1 markers and 0 images/],
    ['more images than markers', { image: ['a.png', 'b.png'] }, /1 markers and 2 images/],
    [
      'a marker in an answer',
      { conversations: [KITE.conversations[0], { from: 'gpt', value: 'this: <image>' }] },
      /user's turns only/,
    ],
    [
      'a marker in the system turn',
      {
        image: null,
        conversations: [
          { from: 'system', value: '<image>' },
          { from: 'human', value: 'Hi' },
        ],
      },
      /one in the system turn/,
    ],
    ['only a system turn', { image: null, conversations: [{ from: 'system', value: 'Brief.' }] }, /at least one turn/],
    ['an image that is no path', { image: 5 }, /image: /],
  ];
  for (const [what, change, message] of broken) {
    it(`names the sample with ${what}`, () => {
      expect(() => parseConversation({ ...KITE, ...change }, 3)).toThrow(
        expect.objectContaining({
          name: 'ConversationError',
          sampleId: 'kite-7',
          message: expect.stringMatching(message),
        }),
      );
    });
  }

  it('names a sample without id by its position', () => {
    expect(() => parseConversation('text', 3, { file: 'dir/set.json' })).toThrow(/set\.json#3/);
    expect(() => parseConversation(null, 4)).toThrow(expect.objectContaining({ sampleId: '#4' }));
  });
});
