import type { HubCuts } from "../../band/index.ts";
import type {
  CandidateAnswer,
  ChancesAnswer,
  ErrorAnswer,
  ExpressionDetail,
  ImageDetail,
  JudgementRequest,
  KeyColumns,
  ListColumns,
  MinedInfo,
  MosaicAnswer,
  SaveAnswer,
  SaveRequest,
  SettingsInfo,
  StudioInfo,
} from "./contract.ts";
import { unpack } from "./unpack.ts";

/** What went wrong, in one line for a person, with the server's code. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

let token = "";

export async function fetchInfo(): Promise<StudioInfo> {
  const info = (await (await ask("api/info")).json()) as StudioInfo;
  token = info.token;
  return info;
}

export async function fetchSettings(): Promise<SettingsInfo> {
  return (await (await ask("api/settings")).json()) as SettingsInfo;
}

export const fetchList = () => packed<ListColumns>("api/expressions");
export const fetchKeys = () => packed<KeyColumns>("api/keys");
export const fetchMined = (mined: string) => packed<MinedInfo>(`api/mined?${new URLSearchParams({ mined })}`);
/** A packed `SampleAnswer`, for a worker to unpack. */
export const fetchSample = async (mined: string): Promise<ArrayBuffer> =>
  (await ask(`api/sample?${new URLSearchParams({ mined })}`)).arrayBuffer();
export const fetchChances = (mined: string, start: number, signal?: AbortSignal) =>
  packed<ChancesAnswer>(`api/chances?${new URLSearchParams({ mined, start: String(start) })}`, signal);
export const fetchCandidates = (row: number, mined: string, signal?: AbortSignal) =>
  packed<CandidateAnswer>(`api/candidates/${row}?${new URLSearchParams({ mined })}`, signal);
export const fetchHubs = (settings: unknown, signal?: AbortSignal) =>
  packed<{ readonly hubs: HubCuts | null }>(
    `api/hubs?${new URLSearchParams({ settings: JSON.stringify(settings) })}`,
    signal,
  );
export const fetchMosaic = (row: number, draw: number, settings: unknown, signal?: AbortSignal) =>
  packed<MosaicAnswer>(
    `api/mosaic/${row}?${new URLSearchParams({ draw: String(draw), settings: JSON.stringify(settings) })}`,
    signal,
  );

export async function fetchExpression(row: number, signal?: AbortSignal): Promise<ExpressionDetail> {
  return (await (await ask(`api/expression/${row}`, signal)).json()) as ExpressionDetail;
}

/** The expression row of a key. */
export async function fetchRow(key: string): Promise<number> {
  return ((await (await ask(`api/row?${new URLSearchParams({ key })}`)).json()) as { row: number }).row;
}

const images = new Map<number, Promise<ImageDetail>>();

/** What is known of an image; asked for once. */
export function fetchImage(row: number): Promise<ImageDetail> {
  const known = images.get(row);
  if (known !== undefined) return known;
  const answer = ask(`api/image/${row}`).then((response) => response.json() as Promise<ImageDetail>);
  answer.catch(() => images.delete(row));
  images.set(row, answer);
  if (images.size > 2000) images.delete(images.keys().next().value ?? row);
  return answer;
}

export async function fetchText(name: "evaluation" | "samples"): Promise<string> {
  return (await ask(`api/${name}`)).text();
}

/** The band's size of every expression, as it is worked out; `onPart` gets each part's first row and sizes. */
export async function streamBandSizes(
  settings: unknown,
  signal: AbortSignal,
  onPart: (start: number, sizes: Uint16Array) => void,
): Promise<void> {
  const response = await ask(`api/bands?${new URLSearchParams({ settings: JSON.stringify(settings) })}`, signal);
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let row = 0;
  let rest = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const bytes = new Uint8Array(rest.length + value.length);
    bytes.set(rest);
    bytes.set(value, rest.length);
    const whole = bytes.length - (bytes.length % 2);
    onPart(row, new Uint16Array(bytes.buffer, 0, whole / 2));
    row += whole / 2;
    rest = bytes.slice(whole);
  }
}

export async function postJudgement(request: JudgementRequest): Promise<{ judged: number }> {
  return (await (await post("api/judgement", request)).json()) as { judged: number };
}

export async function postSettings(request: SaveRequest): Promise<SaveAnswer> {
  return (await (await post("api/settings", request)).json()) as SaveAnswer;
}

export const thumbnailOf = (row: number) => `thumbnail/${row}`;
export const viewOf = (row: number) => `view/${row}`;

async function packed<T>(path: string, signal?: AbortSignal): Promise<T> {
  return unpack(await (await ask(path, signal)).arrayBuffer()) as T;
}

function post(path: string, body: unknown): Promise<Response> {
  return answered(
    fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", "x-nemosaic-token": token },
      body: JSON.stringify(body),
    }),
  );
}

function ask(path: string, signal?: AbortSignal): Promise<Response> {
  return answered(fetch(path, signal === undefined ? {} : { signal }));
}

async function answered(request: Promise<Response>): Promise<Response> {
  const response = await request.catch((error: Error) => {
    if (error.name === "AbortError") throw error;
    throw new ApiError("network", "The studio does not answer. Is `nemosaic studio` still running?");
  });
  if (response.ok) return response;
  const answer = (await response.json().catch(() => undefined)) as ErrorAnswer | undefined;
  throw new ApiError(answer?.code ?? "internal", answer?.error ?? `The studio answered ${response.status}.`);
}
