import { z } from "zod";
import { fail, type Plan, quoteValue, resampleVersions } from "../model/index.ts";
import { styleNames } from "../styles/index.ts";

const whole = z.number().int().nonnegative();
const rect = z.tuple([whole, whole, z.number().int().positive(), z.number().int().positive()]);

const side = z.number().int().min(1).max(8192);

const layerSchema = z.strictObject({
  role: z.enum(["target", "negative"]),
  image: z.string(),
  source: rect,
  destination: rect,
  fit: z.enum(["stretch", "cover", "contain"]),
  alpha: z.number().min(0).max(1),
  blur: z.number().min(0).max(1000),
  masks: z.array(z.string()),
  clip: z.array(z.string()).min(1).optional(),
  window: z.strictObject({ of: z.tuple([side, side]), at: z.tuple([whole, whole]) }).optional(),
});

const planSchema = z.strictObject({
  version: z.union([z.literal(1), z.literal(2), z.literal(3)], { error: "expected version 1, 2 or 3" }),
  pool: z.string(),
  settings: z.string(),
  seed: whole,
  epoch: whole,
  index: whole,
  kind: z.enum(["single", "random", "mined", "no-target"]),
  style: z.enum(styleNames.slice(1)).optional(),
  expression: z.string(),
  text: z.string(),
  size: z.number().int().min(1).max(8192),
  canvas: z.number().int().min(1).max(8192).optional(),
  resample: z.strictObject({ name: z.enum(["opencv", "fast"]), version: whole }),
  layers: z.array(layerSchema).min(1).max(1024),
  why: z.object({ survivors: z.number(), band: z.number(), negatives: z.array(z.unknown()) }).loose(),
});

/**
 * A plan from outside (a line of plans.jsonl), checked so that it can be drawn. `where` names it in errors.
 * Errors: "bad-input" for what is no plan or reaches outside its sample; "unsupported" for another kernel version.
 */
export function parsePlan(value: unknown, where: string): Plan {
  const result = planSchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    fail(
      "bad-input",
      `expected a plan (docs/formats/plan.md) in ${where}: ${issue?.path.join(".") || "value"}: ${issue?.message}, got ${quoteValue(value)}`,
    );
  }
  const plan = result.data as unknown as Plan;
  if (plan.version === 1 && plan.layers.some(({ clip }) => clip !== undefined))
    fail("bad-input", `a layer of the plan in ${where} has a clip, which version 1 does not know: expected version 2`);
  if (plan.version < 3 && plan.layers.some(({ window }) => window !== undefined))
    fail(
      "bad-input",
      `a layer of the plan in ${where} has a window, which version ${plan.version} does not know: expected version 3`,
    );
  const extent = plan.canvas ?? plan.size;
  for (const { destination, window } of plan.layers) {
    const [x, y, width, height] = destination;
    if (x + width > extent || y + height > extent)
      fail(
        "bad-input",
        `a layer of the plan in ${where} leaves its ${extent}×${extent} sample: ${quoteValue(destination)}`,
      );
    if (window !== undefined && (window.at[0] + width > window.of[0] || window.at[1] + height > window.of[1]))
      fail("bad-input", `a layer of the plan in ${where} has a window that leaves its whole: ${quoteValue(window)}`);
  }
  const version = resampleVersions[plan.resample.name];
  if (plan.resample.version !== version) {
    fail(
      "unsupported",
      `the plan in ${where} was made with version ${plan.resample.version} of the "${plan.resample.name}" kernel, this program has ${version}: its pixels would differ`,
    );
  }
  return plan;
}
