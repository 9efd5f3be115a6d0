import type { ConversationTemplate } from './template.js';

type Frame = Omit<ConversationTemplate, 'name' | 'system'>;

const CAPTION = {
  system: '',
  systemSuffix: '',
  userPrefix: '',
  userSuffix: '',
  assistantPrefix: '',
  answerPrefix: '',
  answerSuffix: '',
  endOfSequence: true,
  images: 'only',
  joined: false,
} as const satisfies Omit<ConversationTemplate, 'name'>;

const HONEYBEE = {
  systemSuffix: '',
  userPrefix: '\nHuman: ',
  userSuffix: '',
  assistantPrefix: '\nAI: ',
  answerPrefix: '',
  answerSuffix: '',
  endOfSequence: true,
  images: 'own-turn',
  joined: false,
} as const satisfies Frame;

const VICUNA = {
  systemSuffix: ' ',
  userPrefix: 'USER: ',
  userSuffix: ' ',
  assistantPrefix: 'ASSISTANT:',
  answerPrefix: ' ',
  answerSuffix: '',
  endOfSequence: true,
  images: 'front',
  joined: true,
} as const satisfies Frame;

/** Turns between `<|im_start|>` and `<|im_end|>`, each on lines of its own. */
const CHATML = {
  systemPrefix: '<|im_start|>system\n',
  systemSuffix: '<|im_end|>\n',
  userPrefix: '<|im_start|>user\n',
  userSuffix: '<|im_end|>\n',
  assistantPrefix: '<|im_start|>assistant\n',
  answerPrefix: '',
  answerSuffix: '<|im_end|>\n',
  endOfSequence: false,
  images: 'front',
  joined: true,
  stop: ['<|im_end|>'],
} as const satisfies Frame;

/** LLaVA-NeXT trains the whole turns of Qwen2's assistant, and the marks of all. */
const QWEN = {
  ...CHATML,
  trainedHeader: true,
  trainedMarks: ['<|im_start|>', '<|im_end|>', '\n'],
} as const satisfies Frame;

/** {@link CHATML} without the newline between turns. */
const CHATML_DIRECT = {
  ...CHATML,
  systemSuffix: '<|im_end|>',
  userSuffix: '<|im_end|>',
  answerSuffix: '<|im_end|>',
} as const satisfies Frame;

const INSTRUCTIONS = {
  systemPrefix: '<<SYS>>\n',
  systemSuffix: '\n<</SYS>>\n\n',
  systemPlace: 'question',
  userPrefix: '[INST] ',
  userSuffix: ' [/INST]',
  assistantPrefix: '',
  answerPrefix: ' ',
  answerSuffix: ' ',
  endOfSequence: true,
  images: 'front',
  joined: true,
} as const satisfies Frame;

const LLAMA_3 = {
  begin: '<|begin_of_text|>',
  systemPrefix: '<|start_header_id|>system<|end_header_id|>\n\n',
  systemSuffix: '<|eot_id|>',
  userPrefix: '<|start_header_id|>user<|end_header_id|>\n\n',
  userSuffix: '<|eot_id|>',
  assistantPrefix: '<|start_header_id|>assistant<|end_header_id|>\n\n',
  answerPrefix: '',
  answerSuffix: '<|eot_id|>',
  endOfSequence: false,
  images: 'front',
  joined: true,
  stop: ['<|eot_id|>'],
} as const satisfies Frame;

const HELPFUL = "The assistant gives helpful, detailed, and polite answers to the user's questions.";
const HONEYBEE_SYSTEM = 'The following is a conversation between a curious human and AI assistant.';
const USER_SYSTEM = `A chat between a curious user and an artificial intelligence assistant. ${HELPFUL}`;
const HUMAN_SYSTEM = USER_SYSTEM.replaceAll('user', 'human');
const VISION_SYSTEM =
  'You are a helpful language and vision assistant. You are able to understand the visual content that the user provides, and assist the user with a variety of tasks using natural language.';

/** The templates of the published systems. Names without a system are those of LLaVA's code. */
export const TEMPLATES = {
  /** Honeybee (arXiv 2312.06742), most data sets. */
  honeybee_default: { name: 'honeybee_default', system: HONEYBEE_SYSTEM, ...HONEYBEE },
  /** Honeybee, instruction data (LLaVA150K, ShareGPT) and free-form benchmarks. */
  honeybee_instruction: { name: 'honeybee_instruction', system: `${HONEYBEE_SYSTEM} ${HELPFUL}`, ...HONEYBEE },
  /** Vicuna v1.1, as LLaVA-1.5, ConvLLaVA and Eagle use it; in their code also `v1`. */
  vicuna_v1: { name: 'vicuna_v1', system: USER_SYSTEM, ...VICUNA },
  /**
   * The same with "human" for "user". ConvLLaVA's benchmarks were asked so, by an evaluation kit, though it was trained with
   * `vicuna_v1`, which its grounding is asked with; scores differ between the two.
   */
  llava_v1: { name: 'llava_v1', system: HUMAN_SYSTEM, ...VICUNA },
  /** Vicuna v0: turns between `###`. */
  v0: {
    name: 'v0',
    ...VICUNA,
    system: HUMAN_SYSTEM,
    systemSuffix: '###',
    userPrefix: 'Human: ',
    userSuffix: '###',
    assistantPrefix: 'Assistant:',
    answerSuffix: '###',
    endOfSequence: false,
    stop: ['###'],
  },
  /** Image and caption, ended by an end-of-sequence token (Honeybee). */
  plain: { name: 'plain', ...CAPTION },
  /** Image and caption, ended by a trained newline and no end of sequence (LLaVA's alignment stage, its `plain`). */
  llava_plain: { name: 'llava_plain', ...CAPTION, answerSuffix: '\n', endOfSequence: false },
  /** Qwen1.5 and Qwen2, as LLaVA-NeXT and LLaVA-OneVision use it; in their code also `qwen_2`. */
  qwen_1_5: { name: 'qwen_1_5', system: 'You are a helpful assistant.', ...QWEN },
  qwen_2_5: {
    name: 'qwen_2_5',
    system: 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.',
    ...QWEN,
  },
  chatml_direct: { name: 'chatml_direct', system: 'Answer the questions.', ...CHATML_DIRECT },
  mpt: {
    name: 'mpt',
    system:
      'A conversation between a user and an LLM-based AI assistant. The assistant gives helpful and honest answers.',
    ...CHATML_DIRECT,
  },
  /** InternLM2-Chat: no system turn unless the conversation has one. */
  internlm2: { name: 'internlm2', begin: '<s>', bos: false, system: '', ...CHATML },
  llava_llama_2: { name: 'llava_llama_2', system: VISION_SYSTEM, roundPrefix: '<s>', ...INSTRUCTIONS },
  mistral_instruct: { name: 'mistral_instruct', system: '', ...INSTRUCTIONS },
  /** LLaVA-NeXT on LLaMA-3: one bos; headers of the assistant and all marks are trained. */
  llava_llama_3: {
    name: 'llava_llama_3',
    system: VISION_SYSTEM,
    ...LLAMA_3,
    bos: false,
    trim: true,
    trainedHeader: true,
    trainedMarks: ['<|begin_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
  },
  /** Eagle on LLaMA-3: two bos, the template's and the tokenizer's. */
  llama3: { name: 'llama3', system: USER_SYSTEM, ...LLAMA_3 },
} as const satisfies Record<string, ConversationTemplate>;

export type TemplateName = keyof typeof TEMPLATES;
