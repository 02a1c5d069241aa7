module tour

go 1.22
