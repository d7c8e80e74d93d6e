-- Dagster's history beside the corpus; run once by the database image
CREATE DATABASE IF NOT EXISTS dagster CHARACTER SET utf8mb4;
GRANT ALL ON dagster.* TO 'corpus'@'%';
