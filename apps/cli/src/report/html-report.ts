import { accuracyChart, colourOf, costAxis, costChart, lossChart, stepTimeChart } from './charts.js';
import { formatDuration } from './format-numbers.js';
import { html, type Markup, trusted } from './markup.js';
import { resultSections, seedsInWords } from './result-rows.js';
import type { RecipeResults, SampleQuestion } from './results.js';
import { accuracyOf, stageNames } from './statistics.js';
import { styleSheet } from './style.js';
import { verdictOf } from './text-report.js';

/** The results as one HTML page that needs no other file and no network. */
export function renderHtmlReport(results: RecipeResults): string {
  const title = `${results.recipe} (${results.scale})`;
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${trusted(styleSheet)}</style>
</head>
<body>
<main>
${header(results)}
${claims(results)}
${accuracy(results)}
${table(results)}
${training(results)}
${cost(results)}
${samples(results)}
${circumstances(results)}
</main>
</body>
</html>
`.html
  }`;
}

function header(results: RecipeResults): Markup {
  const { paper, recipe, scale, date, durationSeconds } = results;
  return html`<header>
<h1>${recipe} <small>· ${scale}</small></h1>
<p>A reproduction of ${citation(paper)}</p>
<p>${seedsInWords(results)} per variant · ${formatDuration(durationSeconds)} · ${date.slice(0, 10)}</p>
</header>`;
}

/** The paper's title, linked where it has a web address. */
function citation({ title, source, url }: RecipeResults['paper']): Markup {
  const name = url !== undefined && /^https?:\/\//.test(url) ? html`<a href="${url}">${title}</a>` : html`${title}`;
  return source === undefined ? name : html`${name}, ${source}`;
}

function claims({ claims }: RecipeResults): Markup | undefined {
  if (claims.length === 0) return undefined;
  const items = claims.map((claim) => {
    const verdict = verdictOf(claim);
    return html`<li><span class="verdict ${verdict.replaceAll(' ', '-')}">${verdict}</span><div>${claim.statement}<div class="evidence">${claim.evidence}</div></div></li>\n`;
  });
  return html`<section>
<h2>The paper's claims at this scale</h2>
<ul class="claims">
${items}</ul>
</section>`;
}

function accuracy(results: RecipeResults): Markup {
  return html`<section>
<h2>Accuracy by question type</h2>
${legend(results, html`<span class="dashes"></span>best constant answer`)}
<div class="scroll">${trusted(accuracyChart(results))}</div>
<p class="note">Bars are means over seeds, error bars the standard deviation. A dashed line is what always giving the most frequent answer would score.</p>
</section>`;
}

/** Which colour is which variant. */
function legend({ variants }: RecipeResults, ...others: readonly Markup[]): Markup {
  const entries = variants.map(({ name }, index) => html`${swatch(index)}${name}`);
  return html`<p class="legend">${[...entries, ...others].map((entry) => html`<span>${entry}</span>`)}</p>`;
}

function swatch(variant: number): Markup {
  return html`<span class="swatch" style="background:${colourOf(variant)}"></span>`;
}

function table(results: RecipeResults): Markup {
  const { variants } = results;
  const headings = variants.map(
    ({ name, description }, index) =>
      html`<th scope="col"${description === undefined ? undefined : html` title="${description}"`}>${swatch(index)}${name}</th>`,
  );
  const groups = resultSections(results).map(({ title, rows }, section) => {
    const lines = rows.map(({ label, cells, baseline }, row) => {
      const best = section === 0 ? bestVariant(results, row) : -1;
      const columns = cells.map((cell, index) =>
        index === best ? html`<td class="best">${cell}</td>` : html`<td>${cell}</td>`,
      );
      return html`<tr><td>${label}</td>${columns}<td class="constant">${baseline}</td></tr>\n`;
    });
    return html`<tr class="group"><th colspan="${variants.length + 2}">${title}</th></tr>\n${lines}`;
  });
  return html`<section>
<h2>Results beside the paper's</h2>
<div class="scroll"><table>
<thead><tr><th></th>${headings}<th scope="col" class="constant">best constant</th></tr></thead>
<tbody>
${groups}</tbody>
</table></div>
<p class="note">± is the standard deviation over seeds. The paper's numbers are of other data and far larger models: only their order can be compared.</p>
</section>`;
}

/** Index of the variant with the highest mean in a row of accuracies; −1 if there is only one. */
function bestVariant({ variants, questionTypes }: RecipeResults, row: number): number {
  if (variants.length < 2) return -1;
  const means = variants.map((variant) => accuracyOf(variant, questionTypes[row])?.mean ?? -1);
  return means.indexOf(Math.max(...means));
}

function training(results: RecipeResults): Markup | undefined {
  const stages = stageNames(results.variants);
  if (stages.length === 0) return undefined;
  const plots = stages.map((stage) => html`<figure><h3>${stage}</h3>${trusted(lossChart(results, stage))}</figure>\n`);
  return html`<section>
<h2>Training loss</h2>
${legend(results)}
<div class="plots">
${plots}</div>
</section>`;
}

function cost(results: RecipeResults): Markup {
  const stage = stageNames(results.variants).at(-1);
  const time =
    stage === undefined
      ? undefined
      : html`<figure><h3>Time of a step, ${stage}</h3>${trusted(stepTimeChart(results, stage))}</figure>`;
  return html`<section>
<h2>What accuracy costs</h2>
<div class="plots">
<figure><h3>Accuracy on all questions against ${costAxis(results).name}</h3>${trusted(costChart(results))}</figure>
${time}
</div>
</section>`;
}

function samples({ samples = [] }: RecipeResults): Markup | undefined {
  if (samples.length === 0) return undefined;
  return html`<section>
<h2>Questions and answers</h2>
<div class="samples">
${samples.map(sampleCard)}</div>
</section>`;
}

function sampleCard({ image, question, expected, type, answers }: SampleQuestion): Markup {
  const isEmbedded = image?.startsWith('data:image/');
  const lines = answers.map(({ variant, answer, isCorrect }) => {
    const mark = isCorrect ? html`<span class="right">✓</span>` : html`<span class="wrong">✗</span>`;
    return html`<li><span>${variant}</span><span class="answer">${answer === '' ? '(nothing)' : answer} ${mark}</span></li>`;
  });
  return html`<article class="sample">${isEmbedded && html`<img alt="" src="${image}">`}<div><p class="question">${question}</p><p class="expected">${type} · expected: ${expected}</p><ul>${lines}</ul></div></article>\n`;
}

function circumstances({ machine, date, resolvedRecipe }: RecipeResults): Markup {
  const facts = {
    Processor: `${machine.processor}, ${machine.threads} threads`,
    Memory: `${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB`,
    System: `${machine.platform}, Node ${machine.node}`,
    Engine: machine.engine,
    Finished: date,
  };
  return html`<section>
<h2>Circumstances</h2>
<dl>${Object.entries(facts).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<details><summary>Recipe with all defaults</summary><pre>${JSON.stringify(resolvedRecipe, undefined, 2) ?? ''}</pre></details>
</section>`;
}
