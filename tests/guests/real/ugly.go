package   ugly
import ( "os"; "fmt"
  "bytes" )
type   shape interface{ area() float64;name()string }
type square struct{side float64
  label   string  // what it is called
  x,y int // where
}
func (s square)area()float64{return s.side*s.side}
func Sum( values ...int )(total int){
for _,v:=range values{ if v>0{total+=v}else{
total-=v} }
 return}
var table=map[string]int{"a":1,
"bee":22,
   "seventeen":   17}
func main(){ fmt.Fprintln(os.Stdout,Sum(1,-2,3),table,bytes.MinRead);var xs=[]int{1,2,3};_=xs[:];switch{case len(xs)>2:fmt.Println("many")
default: fmt.Println( "few" )}
}
