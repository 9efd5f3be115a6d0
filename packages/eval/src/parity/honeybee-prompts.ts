import { type Fixture, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { scienceQaExamples } from '@ocelli/data';
import { seedQuestionTypes } from '../benchmarks/seed-bench.js';
import { type HoneybeeMmbenchItem, honeybeeMmbenchOptions, honeybeePrompts } from '../prompts/honeybee.js';
import { parsePythonStrings } from '../text/python-literal.js';
import { compareValues } from './compare-values.js';

type Raw = Readonly<Record<string, string | null | undefined>>;

interface PromptCase {
  readonly task: string;
  readonly raw: Raw & { readonly question_type_id?: number };
  readonly has_image: boolean;
  readonly prompt: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A prompt and what Honeybee keeps beside it; what its data has that is not in the row is not looked at. */
function honeybeeItem({ task, raw, has_image: hasImage }: PromptCase): { prompt: string; data: object } {
  const question = raw.question ?? raw.text ?? '';
  switch (task) {
    case 'mmb':
      return {
        prompt: honeybeePrompts.mmbench(raw as unknown as HoneybeeMmbenchItem),
        data: { hint: raw.hint ?? 'N/A', options_dict: honeybeeMmbenchOptions(raw as unknown as HoneybeeMmbenchItem) },
      };
    case 'seed': {
      const choices = ['a', 'b', 'c', 'd'].map((letter) => raw[`choice_${letter}`]!);
      const type = seedQuestionTypes[raw.question_type_id!];
      return { prompt: honeybeePrompts.seed({ question, choices }), data: { question_type: type } };
    }
    case 'sqa': {
      const [[, { values, options }]] = scienceQaExamples([raw], '') as unknown as [
        [
          string | null,
          { values: { question: string; context: string }; options: { choices: string[]; answer: number } },
        ],
      ];
      return {
        prompt: honeybeePrompts.scienceQa({ ...values, choices: options.choices, hasImage }),
        data: { answer: 'ABCDE'[options.answer] },
      };
    }
    case 'mmmu': {
      const choices = parsePythonStrings(raw.options!);
      return {
        prompt: honeybeePrompts.mmmu({ question, choices }),
        data: { all_choices: choices.map((_, index) => 'ABCDEFGHI'[index]) },
      };
    }
    case 'mm_vet':
      return { prompt: honeybeePrompts.mmVet({ question }), data: {} };
    case 'llavabench':
      return { prompt: honeybeePrompts.llavaBench({ question }), data: {} };
    default:
      return { prompt: honeybeePrompts[task as 'pope' | 'mme']({ question }), data: {} };
  }
}

/** Prompts of Honeybee's benchmarks, and what of their rows can be read off them. */
export async function checkPrompts({ config }: Fixture): Promise<ParityResult> {
  const { prompts } = config as { readonly prompts: readonly PromptCase[] };
  return worstOf(
    prompts.map((each, index) => {
      const { prompt, data } = honeybeeItem(each);
      const expected = Object.fromEntries(Object.keys(data).map((name) => [name, each.data[name]]));
      return compareValues({ prompt, data }, { prompt: each.prompt, data: expected }, `prompts[${index}] ${each.task}`);
    }),
  );
}
