import { createReadStream } from "node:fs";

const mark = Buffer.from("DynamicQuantize");

/**
 * Whether an ONNX file quantises its activations while it runs (operators DynamicQuantizeLinear, DynamicQuantizeMatMul,
 * …). Such a model takes its scale from the whole batch, so that a row's vector depends on its neighbours. Operator names
 * stand in the file as plain text, so they are searched for there.
 */
export async function quantisesByBatch(path: string): Promise<boolean> {
  let tail = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const block = Buffer.concat([tail, chunk as Buffer]);
    if (block.includes(mark)) return true;
    tail = block.subarray(Math.max(0, block.length - mark.length + 1));
  }
  return false;
}
