// Conveniences only: every page reads and works without them.
"use strict";

let byMouse = false;
document.addEventListener("pointerdown", () => { byMouse = true; });

// keys: "/" search, j and k from row to row, n and p next and previous page
document.addEventListener("keydown", (event) => {
  byMouse = false;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  const go = (selector) => {
    const link = document.querySelector(selector);
    if (link) { event.preventDefault(); link.click(); }
    return link;
  };
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.indexOf(document.activeElement.closest("[data-row]"));
  const move = (step) => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
    if (next) { event.preventDefault(); (next.querySelector("a") || next).focus(); next.scrollIntoView({ block: "nearest" }); }
  };
  if (event.key === "/") {
    const box = document.querySelector("input[type=search]");
    if (box) { event.preventDefault(); box.focus(); box.select(); }
  } else if (event.key === "j") move(1);
  else if (event.key === "k") move(at < 0 ? 0 : -1);
  else if (event.key === "n") go("a[rel=next]");
  else if (event.key === "p" && !go("a[rel=prev]") && document.querySelector("a[rel=first]")) history.back();
});

// one tick for all samples of the page; a filter that the mouse chose is sent at once: with the keyboard, a list tells of a
// change at each step through it
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick-all]")) {
    for (const box of document.querySelectorAll("input[name=id]")) box.checked = event.target.checked;
  } else if (byMouse && event.target.matches("form[method=get] select")) {
    event.target.form.requestSubmit();
  }
});
