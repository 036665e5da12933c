import { mount } from "svelte";
import { z } from "zod";
import App from "./App.svelte";
import "./style.css";

// zod would try to compile its checks with eval, which the page's policy forbids and the browser then reports.
z.config({ jitless: true });

const target = document.getElementById("studio");
if (target === null) throw new Error("index.html lacks #studio");
mount(App, { target });
