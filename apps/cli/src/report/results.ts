/** A point of a training curve. */
export interface LossPoint {
  readonly step: number;
  /** Mean loss per trained token, in nats. */
  readonly loss: number;
}

/** One stage of one training run. */
export interface StageRun {
  readonly name: string;
  readonly steps: number;
  /** Median time of a step. */
  readonly secondsPerStep: number;
  readonly loss: readonly LossPoint[];
}

/** One training run of a variant. */
export interface SeedRun {
  readonly seed: number;
  /** Share of right answers in [0, 1], by question type. */
  readonly accuracy: Readonly<Record<string, number>>;
  /** Share of right answers over all questions. */
  readonly overall: number;
  readonly stages: readonly StageRun[];
}

/** A variant of the system, and all runs of it. */
export interface VariantResults {
  /** Short and unique: a column's heading. */
  readonly name: string;
  readonly description?: string;
  /** Tokens that an image takes in the language model. */
  readonly visualTokens: number;
  /** Parameters of the whole model. */
  readonly parameters?: number;
  readonly runs: readonly SeedRun[];
  /** The paper's numbers of the variant, by the name of the measure. */
  readonly published?: Readonly<Record<string, number>>;
}

/** A statement of the paper, and what the runs say about it. */
export interface ClaimResult {
  readonly statement: string;
  /** Undefined where the runs do not decide it. */
  readonly held: boolean | undefined;
  /** The numbers behind the verdict. */
  readonly evidence: string;
}

/** What a variant answered to a sample question. */
export interface SampleAnswer {
  readonly variant: string;
  readonly answer: string;
  readonly isCorrect: boolean;
}

/** A question of the test set with every variant's answer. */
export interface SampleQuestion {
  readonly type: string;
  readonly question: string;
  readonly expected: string;
  /** Data URI (`data:image/png;base64,…`). */
  readonly image?: string;
  readonly answers: readonly SampleAnswer[];
}

/** Where the runs took place. */
export interface MachineInfo {
  readonly platform: string;
  readonly processor: string;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly engine: string;
}

/** Everything that a reproduction found out; the contents of `results.json`. */
export interface RecipeResults {
  /** Name of the recipe, such as `honeybee`. */
  readonly recipe: string;
  readonly paper: {
    readonly title: string;
    /** Where it was published, such as `arXiv 2312.06742`. */
    readonly source?: string;
    readonly url?: string;
  };
  readonly scale: string;
  /** When the reproduction ended, ISO 8601. */
  readonly date: string;
  readonly durationSeconds: number;
  /** In the order in which they are shown. */
  readonly questionTypes: readonly string[];
  /** Number of test questions, by type. */
  readonly questionCounts?: Readonly<Record<string, number>>;
  /** Share of right answers of the best constant answer, by question type. */
  readonly baseline: Readonly<Record<string, number>>;
  /** The same over all questions. */
  readonly overallBaseline: number;
  readonly variants: readonly VariantResults[];
  /** Measures of the paper's numbers, in the order in which they are shown, and where they are from. */
  readonly published?: { readonly measures: readonly string[]; readonly source: string };
  readonly claims: readonly ClaimResult[];
  readonly samples?: readonly SampleQuestion[];
  readonly machine: MachineInfo;
  /** The recipe with every default filled in. */
  readonly resolvedRecipe: unknown;
}
