import { type ConvTranspose2dOptions, conv1d, conv2d, convTranspose2d } from '../../ops/convolution.js';
import { type OperatorCase, type OperatorTable, renamed, required } from './operator-case.js';

function optionsOf<Options = ConvTranspose2dOptions>({ arguments: given, parameters }: OperatorCase): Options {
  const options = renamed<ConvTranspose2dOptions>(given, {
    stride: 'stride',
    padding: 'padding',
    dilation: 'dilation',
    groups: 'groups',
    output_padding: 'outputPadding',
  });
  return { ...options, bias: parameters.bias } as Options;
}

/** `torch.nn.functional.conv2d` and its relatives. */
export const convolutionOperators: OperatorTable = {
  conv1d: (each) =>
    conv1d(
      required(each.inputs, 'x'),
      required(each.parameters, 'weight'),
      optionsOf<Parameters<typeof conv1d>[2]>(each),
    ),
  conv2d: (each) => conv2d(required(each.inputs, 'x'), required(each.parameters, 'weight'), optionsOf(each)),
  conv_transpose2d: (each) =>
    convTranspose2d(required(each.inputs, 'x'), required(each.parameters, 'weight'), optionsOf(each)),
};
