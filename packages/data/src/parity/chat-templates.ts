import { compareExactly, type Fixture, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { type ChatMessage, renderChatTemplate } from '../conversation/chat-template.js';
import { collapseImages } from '../conversation/place-images.js';
import { promptOf } from './conversations.js';

interface ChatTemplatesConfig {
  readonly templates: Readonly<Record<string, string>>;
  readonly conversations: readonly {
    readonly turns: { readonly pairs: readonly (readonly [string, string | null])[] };
    readonly rendered: Readonly<Record<string, string>>;
    readonly messages: readonly ChatMessage[];
    readonly jinja: Readonly<Record<string, string>>;
    readonly add_generation_prompt: boolean;
  }[];
}

/** The bos that each family's templates write. */
const BOS: Readonly<Record<string, string>> = { llama3_instruct: '<|begin_of_text|>', internlm2_chat: '<s>' };

async function checkChatTemplates({ config }: Fixture): Promise<ParityResult> {
  const { templates, conversations } = config as ChatTemplatesConfig;
  return worstOf(
    conversations.flatMap(({ turns, rendered, messages, jinja, add_generation_prompt: addGenerationPrompt }, index) => {
      const texts = turns.pairs.flat();
      const ours = Object.keys(rendered).map((name) => [name, promptOf(name, texts)]);
      const fromJinja = Object.keys(jinja).map((name) => [
        name,
        renderChatTemplate(templates[name]!, messages, {
          addGenerationPrompt,
          specialTokens: { bos_token: BOS[name] ?? '' },
        }),
      ]);
      return [
        compareExactly(Object.fromEntries(ours), rendered, `conversations[${index}].rendered`),
        compareExactly(Object.fromEntries(fromJinja), jinja, `conversations[${index}].jinja`),
      ];
    }),
  );
}

interface ConversationConfig {
  readonly prompts: readonly {
    readonly template: string;
    readonly messages: readonly (string | null)[];
    readonly prompt: string;
  }[];
  readonly preprocess_multimodal: readonly { readonly value: string; readonly result: string }[];
}

async function checkConvllavaConversation({ config }: Fixture): Promise<ParityResult> {
  const { prompts, preprocess_multimodal: placements } = config as ConversationConfig;
  return worstOf([
    ...prompts.map(({ template, messages, prompt }, index) =>
      compareExactly(promptOf(template, messages), prompt, `prompts[${index}]`),
    ),
    ...placements.map(({ value, result }, index) =>
      compareExactly(collapseImages(value), result, `preprocess_multimodal[${index}]`),
    ),
  ]);
}

/** From conversations to text. */
export const chatTemplateChecks: ParityChecks = {
  'backbones/chat_templates': checkChatTemplates,
  'convllava/conversation': checkConvllavaConversation,
};
