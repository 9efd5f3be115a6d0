import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A file of a made-up repository; large ones are known by SHA-256, as those in Git LFS. */
export interface HubFile {
  readonly contents: Uint8Array;
  readonly isLarge?: boolean;
}

/** What the server does differently from a healthy one. */
export interface Misbehaviour {
  /** Status of every answer to a question about the model. */
  modelStatus?: number;
  /** Status of every answer to a question for a file. */
  fileStatus?: number;
  /** Ends the connection after so many bytes of a whole file, this many times. */
  cutAfter?: { bytes: number; times: number };
  /** Sends these instead of a file's contents. */
  instead?: Uint8Array;
  /** What the list of files holds beside the files. */
  moreEntries?: readonly object[];
}

/** The parts of the hub's interface that downloads use, for one repository. */
export interface HubServer {
  readonly url: string;
  readonly misbehaviour: Misbehaviour;
  /** Method, path and range of every request. */
  readonly requests: string[];
  readonly tokens: Set<string | undefined>;
  /** A branch and what it stands for. */
  readonly branches: Map<string, string>;
  close(): Promise<void>;
}

export const commits = ['a'.repeat(40), 'b'.repeat(40)] as const;

export function gitHash(contents: Uint8Array): string {
  return createHash('sha1').update(`blob ${contents.length}\0`).update(contents).digest('hex');
}

export function sha256(contents: Uint8Array): string {
  return createHash('sha256').update(contents).digest('hex');
}

export async function startHub(id: string, files: Readonly<Record<string, HubFile>>): Promise<HubServer> {
  const requests: string[] = [];
  const tokens = new Set<string | undefined>();
  const misbehaviour: Misbehaviour = {};
  const branches = new Map<string, string>([['main', commits[0]]]);

  function model(response: ServerResponse, revision: string): void {
    const sha = branches.get(revision) ?? commits.find((commit) => commit === revision);
    if (misbehaviour.modelStatus) fail(response, misbehaviour.modelStatus, 'no access');
    else if (!sha) fail(response, 404, 'Invalid rev id');
    else json(response, { _id: '1', id, sha, private: false, lastModified: '2024-01-01T00:00:00.000Z' });
  }

  function tree(response: ServerResponse): void {
    const entries = Object.entries(files).map(([path, { contents, isLarge }]) => ({
      type: 'file',
      path,
      size: contents.length,
      oid: isLarge ? gitHash(Buffer.from(`pointer to ${path}`)) : gitHash(contents),
      ...(isLarge && { lfs: { oid: sha256(contents), size: contents.length, pointerSize: 130 } }),
    }));
    json(response, [...entries, ...(misbehaviour.moreEntries ?? [])]);
  }

  function file(request: IncomingMessage, response: ServerResponse, path: string): void {
    const stored = files[path];
    if (misbehaviour.fileStatus) fail(response, misbehaviour.fileStatus, 'Access to model is restricted');
    else if (stored) send(request, response, stored);
    else {
      response.setHeader('X-Error-Code', 'EntryNotFound');
      fail(response, 404, 'Entry not found');
    }
  }

  function send(request: IncomingMessage, response: ServerResponse, stored: HubFile): void {
    const contents = misbehaviour.instead ?? stored.contents;
    response.setHeader('ETag', `"${stored.isLarge ? sha256(stored.contents) : gitHash(stored.contents)}"`);
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const begin = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Number(range[2]) + 1 : contents.length;
    if (range) response.setHeader('Content-Range', `bytes ${begin}-${end - 1}/${stored.contents.length}`);
    const part = contents.subarray(begin, end);
    const { cutAfter } = misbehaviour;
    response.writeHead(range ? 206 : 200, { 'Content-Length': part.length });
    if (cutAfter && cutAfter.times > 0 && part.length > cutAfter.bytes) {
      cutAfter.times--;
      response.write(part.subarray(0, cutAfter.bytes), () => setTimeout(() => response.destroy(), 20));
    } else response.end(part);
  }

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}${request.headers.range ? ` ${request.headers.range}` : ''}`);
    tokens.add(request.headers.authorization);
    const path = decodeURIComponent(new URL(request.url!, 'http://hub').pathname);
    const info = new RegExp(`^/api/models/${id}/revision/(.+)$`).exec(path);
    const download = new RegExp(`^/${id}/resolve/([0-9a-f]{40})/(.+)$`).exec(path);
    if (info) model(response, info[1]!);
    else if (path.startsWith(`/api/models/${id}/tree/`)) tree(response);
    else if (download) file(request, response, download[2]!);
    else fail(response, 401, 'Invalid username or password.');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    misbehaviour,
    requests,
    tokens,
    branches,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function fail(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error }));
}
