import type { DatasetRecord } from "../../model/index.ts";
import type { Catalog } from "../coco/instances.ts";
import { absentRefId, existExpected, existsIn, numberedId } from "../existence.ts";
import { type BadReason, bad, type Complaint, note } from "../findings.ts";
import { targetComplaint } from "../segmentation.ts";
import { type Dict, exactId, field, idComplaint, isDict } from "../values.ts";

/** What the two families of ref files treat differently. */
export interface RefRules {
  /** gRefCOCO: an iscrowd target is left out of a ref with a note; REFER keeps it. */
  readonly skipCrowds: boolean;
  /** gRefCOCO: empty sentences are known and skipped with a note; in REFER they are bad. */
  readonly allowEmpty: boolean;
}

/** How a stream of refs goes on: ids seen so far. */
export interface SeenRefs {
  readonly refs: Set<string>;
  readonly sentences: Set<string>;
}

/**
 * The records of one entry of a refs file {ref_id, ann_id, image_id, split, sent_ids, sentences [{sent_id, sent, raw}]}:
 * the ref, then its expressions; bad records where the entry contradicts `catalog`. `ann_id` is one id, or a list: of
 * several (multi-target), of none or of -1 alone (no target). A ref is kept while one of its sentences is usable.
 *
 * R-RefCOCO marks sentences that are true of nothing in the image with `exist: false`: they make a second ref,
 * <ref_id>:no-target, without annotations.
 */
export function* refRecords(
  value: unknown,
  where: string,
  catalog: Catalog,
  seen: SeenRefs,
  rules: RefRules,
): Generator<DatasetRecord> {
  const complain = (reason: BadReason, expected: string, came: unknown, remedy: string): DatasetRecord =>
    bad(reason, where, { expected, came, remedy });
  if (!isDict(value))
    return yield complain("not a record", "a ref {ref_id, image_id, …}", value, "correct or remove it");
  const id = exactId(field(value, "ref_id"));
  if (id === undefined) return yield bad("bad id", where, idComplaint("ref_id", field(value, "ref_id")));
  if (seen.refs.has(id)) return yield complain("duplicate ref id", "a ref_id once", id, "remove one of the two");
  const imageId = exactId(field(value, "image_id"));
  if (imageId === undefined) return yield bad("bad id", where, idComplaint("image_id", field(value, "image_id")));
  if (!catalog.images.has(imageId)) {
    return yield complain(
      "unknown image",
      `"image_id" to be in instances.json`,
      imageId,
      "add the image or remove the ref",
    );
  }
  const split = field(value, "split");
  if (typeof split !== "string" || split === "") {
    return yield complain("missing field", `"split" to be text such as "train"`, split, "name the ref's split");
  }
  const targets = targetsOf(value, imageId, catalog);
  if ("complaint" in targets) return yield bad(targets.reason, where, targets.complaint);
  let annotationIds = targets.ids;
  if (rules.skipCrowds && annotationIds.some((target) => catalog.crowds.has(target))) {
    annotationIds = annotationIds.filter((target) => !catalog.crowds.has(target));
    // Left without any target, the ref would turn into a no-target one, which it is not.
    if (annotationIds.length === 0) return yield note("ref of iscrowd targets only skipped", where);
    yield note("iscrowd target skipped", where);
  }
  const sentences = field(value, "sentences");
  if (!Array.isArray(sentences)) {
    return yield complain("wrong type", `"sentences" to be a list`, sentences, "correct the ref");
  }
  if (sentences.length === 0) {
    if (rules.allowEmpty) return yield note("ref without sentences skipped", where);
    return yield complain("no sentences", "a sentence or more", sentences, "remove the ref or write a sentence");
  }
  seen.refs.add(id);
  const found = [...sentenceRecords(sentences, where, id, seen, rules)];
  const isAbsent = (record: DatasetRecord): boolean => record.type === "expression" && record.refId !== id;
  if (found.some((record) => record.type === "expression")) {
    if (differs(field(value, "sent_ids"), sentences)) yield note("sent_ids differ from sentences", where);
    if (found.some((record) => record.type === "expression" && !isAbsent(record)))
      yield { type: "ref", id, imageId, annotationIds, split };
    if (found.some(isAbsent)) yield { type: "ref", id: absentRefId(id), imageId, annotationIds: [], split };
  } else if (rules.allowEmpty && found.every((record) => record.type === "note")) {
    yield note("ref without sentences skipped", where);
  }
  yield* found;
}

function* sentenceRecords(
  sentences: readonly unknown[],
  refWhere: string,
  refId: string,
  seen: SeenRefs,
  rules: RefRules,
): Generator<DatasetRecord> {
  const absent = new Set<string>();
  for (const [index, sentence] of sentences.entries()) {
    const where = `${refWhere}, sentences[${index}]`;
    const complain = (reason: BadReason, expected: string, came: unknown, remedy: string): DatasetRecord =>
      bad(reason, where, { expected, came, remedy });
    if (!isDict(sentence)) {
      yield complain("not a record", "a sentence {sent_id, sent, raw}", sentence, "correct or remove it");
      continue;
    }
    const id = exactId(field(sentence, "sent_id"));
    const sent = field(sentence, "sent") ?? field(sentence, "raw");
    const raw = field(sentence, "raw") ?? sent;
    const exists = existsIn(sentence);
    if (typeof sent !== "string" || typeof raw !== "string") {
      const came = typeof sent === "string" ? raw : sent;
      yield complain("wrong type", `"sent" and "raw" to be text`, came, "correct or remove the sentence");
    } else if (exists === undefined) {
      yield complain("wrong type", existExpected, field(sentence, "exist"), "correct or remove the sentence");
    } else if (sent.trim() === "") {
      const complaint = { expected: "a sentence", came: sent, remedy: "remove it or write one" };
      yield rules.allowEmpty ? note("empty sentence skipped", where) : bad("empty sentence", where, complaint);
    } else if (id === undefined) {
      yield bad("bad id", where, idComplaint("sent_id", field(sentence, "sent_id")));
    } else if (!exists) {
      yield { type: "expression", id: numberedId(id, absent), refId: absentRefId(refId), raw, sent };
    } else if (seen.sentences.has(id)) {
      yield complain("duplicate sentence id", "a sent_id once", id, "give each sentence its own id");
    } else {
      seen.sentences.add(id);
      yield { type: "expression", id, refId, raw, sent };
    }
  }
}

type Targets = { readonly ids: readonly string[] } | { readonly reason: BadReason; readonly complaint: Complaint };

function targetsOf(ref: Dict, imageId: string, catalog: Catalog): Targets {
  const given = field(ref, "ann_id");
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.every((id) => id === -1 || id === "-1")) return noTarget(ref, given);
  const ids: string[] = [];
  const named = list.flatMap((id): readonly unknown[] => catalog.unions.get(exactId(id) ?? "") ?? [id]);
  for (const value of named) {
    const id = exactId(value);
    if (id === undefined) return { reason: "bad id", complaint: idComplaint("ann_id", value) };
    const owner = catalog.annotations.get(id);
    if (owner === undefined) {
      const expected = `"ann_id" to be a usable annotation of instances.json`;
      return { reason: "unknown annotation", complaint: { expected, came: id, remedy: "add it or remove the ref" } };
    }
    if (owner !== imageId) {
      const expected = `an annotation of the ref's image ${imageId}`;
      const came = `annotation ${id} of image ${owner}`;
      return {
        reason: "annotation of another image",
        complaint: { expected, came, remedy: "correct ann_id or image_id" },
      };
    }
    if (!ids.includes(id)) ids.push(id);
  }
  const empty = ids.find((id) => catalog.unusable.has(id));
  if (empty !== undefined) {
    const complaint = targetComplaint(catalog.unusable.get(empty) ?? "", `annotation ${empty} of the ref`);
    return { reason: "target without a mask", complaint };
  }
  if (field(ref, "no_target") !== true) return { ids };
  const expected = `"ann_id" [-1] beside "no_target": true`;
  return { reason: "contradictory target", complaint: { expected, came: given, remedy: "correct one of the two" } };
}

/** -1 outside a list is a slip of single-target files, unless the file says that nothing is meant. */
function noTarget(ref: Dict, given: unknown): Targets {
  const said = field(ref, "no_target");
  if (said === false) {
    const expected = `"ann_id" to name annotations beside "no_target": false`;
    return { reason: "contradictory target", complaint: { expected, came: given, remedy: "correct one of the two" } };
  }
  if (Array.isArray(given) || said === true) return { ids: [] };
  const expected = `"ann_id" to be a usable annotation of instances.json`;
  return { reason: "unknown annotation", complaint: { expected, came: given, remedy: "add it or remove the ref" } };
}

function differs(sentIds: unknown, sentences: readonly unknown[]): boolean {
  if (sentIds === undefined || sentIds === null) return false;
  const ids = sentIds instanceof Set ? [...sentIds] : sentIds;
  if (!Array.isArray(ids) || ids.length !== sentences.length) return true;
  const listed = new Set(ids.map(exactId));
  return sentences.some((sentence) => isDict(sentence) && !listed.has(exactId(field(sentence, "sent_id"))));
}
