-- Reserved; see the next commits.
SELECT;
