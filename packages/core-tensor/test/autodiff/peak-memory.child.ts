import {
  checkpoint,
  closeEngine,
  compile,
  gelu,
  initializers,
  Module,
  matmul,
  mean,
  Parameter,
  square,
  type Tensor,
  useEngine,
  valueAndGrad,
  zeros,
} from '../../src/index.js';

/**
 * Prints by how many megabytes the process grows when it first runs the forward and backward pass of a deep perceptron;
 * with the argument `checkpointed`, each layer is a checkpoint.
 */
const [layers, width, batch] = [24, 512, 2048];

class Perceptron extends Module {
  readonly weights = Array.from(
    { length: layers },
    () => new Parameter([width, width], { initializer: initializers.normal(0, 0.02) }),
  );

  /** x [batch, width] → scalar */
  loss(x: Tensor): Tensor {
    const isCheckpointed = process.argv.includes('checkpointed');
    const y = this.weights.reduce<Tensor>((h, weight) => {
      // Not `linear`: the runtime would merge plain products with those that a checkpoint repeats, if it could.
      const step = (each: Tensor) => gelu(matmul(each, weight));
      return isCheckpointed ? checkpoint(step)(h) : step(h);
    }, x);
    return mean(square(y));
  }
}

await useEngine('ort', { threads: 1 });
const model = new Perceptron();
const step = compile((x: Tensor) => valueAndGrad(() => model.loss(x), model.trainableParameters()));
// One row compiles, and puts the weights in place.
const small = await step(zeros([1, width]));
await small.value.item();
const before = process.resourceUsage().maxRSS;
const { value } = await step(zeros([batch, width]));
await value.item();
console.log((process.resourceUsage().maxRSS - before) / 1024);
await closeEngine();
