// Click a heading to sort by it, again to reverse. Without scripts the table is merely not sortable.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[table.tHead.rows.length - 1].cells].forEach((head, index) => {
    const key = (row) => row.cells[index].dataset.value ?? row.cells[index].textContent.trim();
    const isNumber = (text) => text !== "" && Number.isFinite(Number(text));
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.ariaSort === "descending" || (index === 0 && !head.ariaSort);
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "ascending" : "descending");
      const sign = down ? 1 : -1;
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        if (isNumber(x) !== isNumber(y)) return isNumber(x) ? -1 : 1;
        return sign * (isNumber(x) ? Number(x) - Number(y) : x.localeCompare(y));
      });
      body.append(...rows);
    });
  });
}
