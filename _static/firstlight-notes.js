/* Notes beside links (press/hover_notes): Escape shuts them, touch opens them, and they keep
   within the page. Without this script they show on hover and focus all the same. */
(() => {
  "use strict";
  const GAP = 6;
  const open = (frame) => frame.querySelector(".fl-note");

  /* Under the link, or over it where there is more room; never beyond the article's sides. */
  function place(frame) {
    const note = open(frame);
    const link = frame.querySelector("a");
    const home = note.offsetParent;
    if (!home) return;
    const boxes = [...link.getClientRects()];  // one for each line, or each piece of a line
    const at = boxes[boxes.length - 1];
    const start = Math.min(...boxes.filter((box) => box.bottom > at.top + 1).map((box) => box.left));
    const frameOf = home.getBoundingClientRect();
    const above = at.bottom + GAP + note.offsetHeight > innerHeight && at.top > innerHeight / 2;
    const pad = parseFloat(getComputedStyle(home).paddingLeft);
    const left = Math.min(start - frameOf.left, home.clientWidth - pad - note.offsetWidth);
    note.style.margin = "0";
    note.style.left = `${Math.max(pad, left)}px`;
    note.style.top = above
      ? `${at.top - frameOf.top - note.offsetHeight - GAP}px`
      : `${at.bottom - frameOf.top + GAP}px`;
    note.classList.toggle("fl-above", above);
  }

  function shut(except) {
    for (const frame of document.querySelectorAll(".fl-noted.fl-open")) {
      if (frame === except) continue;
      frame.classList.remove("fl-open");
      open(frame).classList.remove("fl-tapped");
    }
  }

  for (const frame of document.querySelectorAll(".fl-noted")) {
    for (const event of ["pointerenter", "focusin"]) {
      frame.addEventListener(event, () => {
        frame.classList.remove("fl-shut");
        place(frame);
      });
    }
    let touched = false;
    frame.addEventListener("pointerdown", (event) => { touched = event.pointerType === "touch"; });
    /* A first tap reads, a second one follows. */
    frame.querySelector("a").addEventListener("click", (event) => {
      if (!touched || frame.classList.contains("fl-open")) return;
      event.preventDefault();
      frame.classList.remove("fl-shut");
      frame.classList.add("fl-open");
      open(frame).classList.add("fl-tapped");
      place(frame);
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    shut();
    for (const frame of document.querySelectorAll(".fl-noted:hover, .fl-noted:focus-within")) {
      frame.classList.add("fl-shut");
    }
  });
  document.addEventListener("pointerdown", (event) => shut(event.target.closest(".fl-noted")));
})();
