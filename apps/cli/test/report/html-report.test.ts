import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderHtmlReport } from '../../src/report/html-report.js';
import { escapeHtml, html } from '../../src/report/markup.js';
import type { RecipeResults } from '../../src/report/results.js';
import { writeReport } from '../../src/report/write-report.js';
import { exampleResults, pixel } from './example-results.js';

const hostile = `<script>alert("1")</script>&'`;

describe('html', () => {
  it('escapes what is filled in, except markup', () => {
    expect(escapeHtml(hostile)).toBe('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;');
    expect(html`<b>${hostile}</b>`.html).toBe(`<b>${escapeHtml(hostile)}</b>`);
    expect(html`<ul>${['<', 2].map((item) => html`<li>${item}</li>`)}${undefined}${false}</ul>`.html).toBe(
      '<ul><li>&lt;</li><li>2</li></ul>',
    );
  });
});

describe('renderHtmlReport', () => {
  const page = renderHtmlReport(exampleResults);

  it('is one page that loads nothing', () => {
    expect(page.startsWith('<!doctype html>\n<html lang="en">')).toBe(true);
    const addresses = [...page.matchAll(/(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)/g)].map((match) => match[1]!);
    const loaded = addresses.filter((address) => !address.startsWith('data:') && !address.startsWith('#'));
    expect(loaded).toEqual([exampleResults.paper.url]);
    expect(page).not.toMatch(/<script|<link|@import/);
  });

  it('draws a bar for each variant and type with its error bar, and the best constant answers', () => {
    const [accuracy] = page.match(/<svg.*?<\/svg>/s)!;
    const colours = [...accuracy.matchAll(/<path[^>]*fill="(#[0-9a-f]{6})"/g)].map((match) => match[1]);
    for (const colour of ['#0072b2', '#d55e00', '#009e73', '#b5579a']) {
      expect(colours.filter((each) => each === colour)).toHaveLength(9);
    }
    expect(accuracy.match(/stroke-dasharray/g)).toHaveLength(9);
    expect(accuracy).toContain('>verification<');
  });

  it('draws losses for each stage, tokens and times', () => {
    expect(page.match(/<svg/g)).toHaveLength(5);
    for (const heading of ['pretrain', 'finetune', 'Time of a step, finetune'])
      expect(page).toContain(`<h3>${heading}</h3>`);
    expect(page).toContain('>57.4<');
  });

  it('plots accuracy against time where all variants have as many tokens', () => {
    expect(page).toContain('against visual tokens</h3>');
    const variants = exampleResults.variants.map((variant) => ({ ...variant, visualTokens: 16 }));
    expect(renderHtmlReport({ ...exampleResults, variants })).toContain('against milliseconds per step, finetune</h3>');
  });

  it('has the table, the claims, the answers and the circumstances', () => {
    expect(page).toContain('Multimodal LLM</a>, CVPR 2024</p>');
    expect(page).toContain('<td>67.1</td>');
    expect(page).toMatch(/<span class="verdict did-not-hold">did not hold<\/span>/);
    expect(page).toContain('How many &lt;red&gt; circles are there &amp; where?');
    expect(page).toContain(`<img alt="" src="${pixel}">`);
    expect(page).toContain('&quot;3&quot; <span class="wrong">✗</span>');
    expect(page).toContain('&quot;learningRate&quot;: 0.001');
    expect(page).toContain('<td class="best">');
  });

  it('lets nothing from the results become markup or a script', () => {
    const spoiled: RecipeResults = {
      ...exampleResults,
      recipe: hostile,
      paper: { title: hostile, url: 'javascript:alert(1)' },
      questionTypes: [hostile],
      variants: exampleResults.variants.map((variant) => ({ ...variant, name: hostile, description: hostile })),
      claims: [{ statement: hostile, held: true, evidence: hostile }],
      samples: [{ type: hostile, question: hostile, expected: hostile, image: `https://example.org/"x`, answers: [] }],
      resolvedRecipe: { note: hostile },
    };
    const text = renderHtmlReport(spoiled);
    expect(text).not.toContain('<script');
    expect(text).not.toContain('javascript:');
    expect(text).not.toContain('example.org');
  });

  it('does without samples, stages and seeds', () => {
    const { samples: _, ...rest } = exampleResults;
    const bare = { ...rest, claims: [], variants: rest.variants.map((variant) => ({ ...variant, runs: [] })) };
    const text = renderHtmlReport(bare);
    expect(text).not.toMatch(/Questions and answers|Training loss|claims at this scale|NaN/);
    expect(text).toContain('<td>–</td>');
  });
});

describe('writeReport', () => {
  it('writes the page and the results, and leaves nothing else', async () => {
    const folder = join(await mkdtemp(join(tmpdir(), 'ocelli-report-')), 'runs/a');
    try {
      const { htmlFile, jsonFile } = await writeReport(exampleResults, folder);
      expect(await readFile(htmlFile, 'utf8')).toBe(renderHtmlReport(exampleResults));
      // An undecided claim has no verdict in JSON.
      expect(JSON.parse(await readFile(jsonFile, 'utf8'))).toEqual(JSON.parse(JSON.stringify(exampleResults)));
      expect((await readdir(folder)).sort()).toEqual(['report.html', 'results.json']);
    } finally {
      await rm(join(folder, '../..'), { recursive: true });
    }
  });
});
