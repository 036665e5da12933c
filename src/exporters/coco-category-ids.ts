import type { Category } from "./exporter.ts";

/** COCO's 80 categories in the order of their ids; the ids skip the ten numbers in `gaps`. */
const names = (
  "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,bird,cat,dog," +
  "horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite," +
  "baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich," +
  "orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard," +
  "cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
).split(",");
const gaps = new Set([12, 26, 29, 30, 45, 66, 68, 69, 71, 83]);
const ids = Array.from({ length: 90 }, (_, at) => at + 1).filter((id) => !gaps.has(id));

/** Stands for the category of an expression without target. */
export const noCategory: Category = { name: "", id: -1, dense: -1 };

/**
 * Numbers for category names: COCO's own where the name is one of its 80, else numbers from 91 (dense: from 80) on in
 * alphabetical order.
 */
export function categoryNumbers(categories: Iterable<string>): ReadonlyMap<string, Category> {
  const others = [...new Set(categories)].filter((name) => !names.includes(name)).sort();
  const coco = names.map((name, dense): Category => ({ name, id: ids[dense] ?? 0, dense }));
  const rest = others.map((name, at): Category => ({ name, id: 91 + at, dense: names.length + at }));
  return new Map([...coco, ...rest].map((category) => [category.name, category]));
}
