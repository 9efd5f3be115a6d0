import {
  buildTokenizer,
  type ConversationTemplate,
  createTokenizer,
  readTokenizerFiles,
  renderConversation,
  type Tokenizer,
  type TokenizerFiles,
} from '@ocelli/data';
import type { TrainingConfig } from './config.js';
import { heed, heedLater, type Refuse } from './refuse.js';
import type { TrainingData } from './training-data.js';

/** A tokenizer with the files that it is saved as. */
export interface PreparedTokenizer {
  readonly tokenizer: Tokenizer;
  readonly files: TokenizerFiles;
}

/**
 * Reads the tokenizer, or builds one from the training data.
 *
 * @throws ConfigError that names the key, if there is none in the folder, the vocabulary is too small, or it has no end
 *   of sequence.
 */
export async function prepareTokenizer(
  { tokenizer: { folder, vocabularySize }, template }: TrainingConfig,
  { conversations }: TrainingData,
  refuse: Refuse,
): Promise<PreparedTokenizer> {
  if (folder === undefined) {
    const files = heed(refuse, 'tokenizer.vocabularySize', () =>
      buildTokenizer(textsOf(conversations, template), { vocabularySize: vocabularySize! }),
    );
    return { tokenizer: createTokenizer(files), files };
  }
  const key = 'tokenizer.folder';
  const files = await heedLater(refuse, key, () => readTokenizerFiles(folder));
  const tokenizer = heed(refuse, key, () => createTokenizer(files, { directory: folder }));
  if (tokenizer.eosTokenId === undefined) {
    throw refuse(key, {
      expected: 'a tokenizer with an end of sequence',
      received: `one without, in ${folder}`,
      remedy: 'Give eos_token a value in its tokenizer_config.json.',
    });
  }
  return { tokenizer, files };
}

/** What the model will read: the conversations in their frame. */
function* textsOf(conversations: TrainingData['conversations'], template: ConversationTemplate): Generator<string> {
  for (const part of conversations.values()) {
    for (const conversation of part) {
      for (const segment of renderConversation(conversation, template)) if (segment.kind === 'text') yield segment.text;
    }
  }
}
