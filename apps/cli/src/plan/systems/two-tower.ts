import { add, crossEntropy, placeholder, type Tensor } from '@ocelli/core-tensor';
import {
  entailmentLogits,
  imageTextMatchingLoss,
  maskedLanguageModelLoss,
  reasoningLogits,
  retrievalLosses,
  type TwoTowerInputs,
  type TwoTowerModel,
  visualQuestionAnsweringLoss,
} from '@ocelli/vlm';
import type { PromptSize, SystemPrograms } from './system-programs.js';

/** Tokens of the published texts. */
const usualText = 50;

/** Programs of ManagerTower and BridgeTower. Their context is the text; there is no cache. */
export function twoTowerPrograms(model: TwoTowerModel): SystemPrograms {
  const side = model.vision.config.imageSize;
  const [rows, columns] = model.vision.featureGrid();
  const { maxPositionEmbeddings, padTokenId } = model.text.config;
  const pixels = (batch: number) => placeholder([batch, 3, side, side]);
  const inputs = ({ batch, context }: PromptSize): TwoTowerInputs => ({
    inputIds: placeholder([batch, context], 'int32'),
    pixelValues: pixels(batch),
  });
  const visual = () => ({ outputs: [...model.encodeImage(pixels(1)).levels], held: [] });
  return {
    image: { height: side, width: side },
    towerInputs: 1,
    // The class token is one of them.
    visualTokens: rows * columns + 1,
    context: usualText,
    minimumContext: 1,
    maximumContext: maxPositionEmbeddings - padTokenId - 1,
    features: () => ({ outputs: [model.encodeImage(pixels(1)).last], held: [] }),
    visual,
    prompt: (size) => {
      const { text, image, pooled } = model.forward(inputs(size));
      return { outputs: [text, image, pooled], held: [] };
    },
    loss: (size) => lossOf(model, size, inputs(size), pixels),
  };
}

/** Of the task that the heads are for. */
function lossOf(
  model: TwoTowerModel,
  { batch, context }: PromptSize,
  inputs: TwoTowerInputs,
  pixels: (batch: number) => Tensor,
): Tensor {
  const labels = placeholder([batch], 'int32');
  const { heads } = model.config;
  if (heads.visualQuestionAnswering) {
    return visualQuestionAnsweringLoss(model, inputs, placeholder([batch, heads.visualQuestionAnswering.classes]));
  }
  if (heads.visualEntailment) return crossEntropy(entailmentLogits(model, inputs), labels);
  if (heads.visualReasoning) {
    return crossEntropy(reasoningLogits(model, inputs, [inputs.pixelValues, pixels(batch)]), labels);
  }
  if (heads.imageTextContrast) return retrievalLosses(model, inputs).total;
  // One pass with masked ids and one without, as in the official step.
  return add(
    maskedLanguageModelLoss(model, inputs, placeholder([batch, context], 'int32')),
    imageTextMatchingLoss(model, { ...inputs, inputIds: placeholder([batch, context], 'int32') }, labels),
  );
}
